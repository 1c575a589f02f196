// SPDX-License-Identifier: Apache-2.0
#pragma once

// The requests to file systems that fibers of an event loop have under way (docs/design/files.md).
//
// Thread safety: perform() by fibers of any thread; take() and end(): any thread, several at a time.
// Guarantees: FO1 to FO5. When perform() returns, the kernel does not touch the request's memory any more.
// Lifetime: by reference; perform() requires that the caller holds one.

#include "base/fork_count.hpp"
#include "base/spin_lock.hpp"
#include "fiber/fiber_queue.hpp"
#include "fiber/waiter.hpp"
#include "sys/file_ring.hpp"

#include <weft/deadline.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace weft {

/// How a request ended.
struct CompletionResult {
  enum class Way : std::uint8_t {
    kAnswered,  ///< `raw` is the kernel's answer
    kNotTaken,  ///< the ring did not take it: nothing has happened
    kEnded,     ///< by the wait's end, `outcome`: nothing has happened
    kAgain,     ///< the kernel let go of it, without being asked: nothing has happened
  };
  Way way = Way::kNotTaken;
  WaitOutcome outcome = WaitOutcome::kReady;
  long raw = 0;
};

class CompletionRing {
 public:
  explicit CompletionRing(sys::FileRing ring) noexcept : ring_(std::move(ring)) {}
  ~CompletionRing();

  int fd() const noexcept { return ring_.fd(); }

  /// Carries the request out. Suspends the calling fiber until the kernel has answered. A cancellation or the
  /// deadline asks the kernel to end it early, and waits for its answer, too.
  CompletionResult perform(const sys::FileRequest& request, Deadline deadline) noexcept;

  /// Takes the kernel's answers. Fibers that are runnable thereby come to `won`.
  void take(FiberQueue& won) noexcept;

  /// Takes no requests any more, ends those that are under way, and waits for their answers with its thread.
  void end() noexcept;

  /// Requests that are under way.
  std::size_t size() noexcept;

 private:
  /// One request, in the frame of its fiber. Guarded by lock_.
  struct Entry {
    Waiter* waiter = nullptr;  // null: its fiber does not wait yet, or not any more
    WaitTicket ticket;
    long raw = 0;
    bool complete = false;
  };

  bool submit(const sys::FileRequest& request, Entry& entry) noexcept;
  void cancel(Entry& entry) noexcept;
  void take_and_wake() noexcept;
  WaitOutcome wait(Entry& entry, WaitWord::Cancellable cancellable, Deadline deadline) noexcept;
  void complete_locked(const sys::RingAnswer& answer, FiberQueue& won) noexcept;
  bool is_complete(Entry& entry) noexcept;

  std::mutex submit_mutex_;  // held during system calls: submitting and cancelling
  bool ended_ = false;       // guarded by it
  sys::FileRing ring_;       // the queue of submissions: by it; that of answers: by lock_

  SpinLock lock_;
  std::size_t size_ = 0;  // guarded by lock_

  const std::uint32_t forks_ = fork_count;
};

}  // namespace weft
