// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/spin_lock.hpp"
#include "event_loop/completion/completion_ring.hpp"

#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace weft {

/// The ring of a loop, which is made with the first request. One that is refused is not asked for again.
///
/// Thread safety: any thread.
class CompletionSlot {
 public:
  /// `registers(fd)` makes the loop look at it. Null: there is none.
  template <class Registers>
  std::shared_ptr<CompletionRing> get_or_make(Registers&& registers) noexcept {
    if (std::shared_ptr<CompletionRing> ring = get()) return ring;
    const std::scoped_lock hold(make_mutex_);
    if (std::shared_ptr<CompletionRing> ring = get(); ring != nullptr || refused_) return ring;
    Result<sys::FileRing> made = sys::FileRing::create();
    refused_ = !made || !registers(made->fd());
    if (refused_) return nullptr;
    std::shared_ptr<CompletionRing> ring(new (std::nothrow) CompletionRing(std::move(*made)));
    refused_ = ring == nullptr;
    const std::scoped_lock guard(lock_);
    ring_ = ring;
    return ring;
  }

  void take(FiberQueue& won) noexcept {
    if (const std::shared_ptr<CompletionRing> ring = get()) ring->take(won);
  }

  /// There is none any more.
  void end() noexcept {
    const std::scoped_lock hold(make_mutex_);
    refused_ = true;
    if (const std::shared_ptr<CompletionRing> ring = get()) ring->end();
    const std::scoped_lock guard(lock_);
    ring_.reset();
  }

 private:
  std::shared_ptr<CompletionRing> get() noexcept {
    const std::scoped_lock guard(lock_);
    return ring_;
  }

  std::mutex make_mutex_;  // held during system calls
  bool refused_ = false;   // guarded by it
  SpinLock lock_;
  std::shared_ptr<CompletionRing> ring_;  // guarded by lock_
};

}  // namespace weft
