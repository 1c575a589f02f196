// SPDX-License-Identifier: Apache-2.0
#pragma once

// One event loop for all contexts of a strategy (placements per_process and dedicated): the loop, the one
// poll duty for the idle threads of all those contexts, and for `dedicated` the thread that polls instead of
// them (docs/design/strategies.md).
//
// Thread safety: any thread. Life: made with the first context, ends with the last: the thread is joined, the
// loop retired.

#include "base/atomic.hpp"
#include "base/detail_names.hpp"
#include "event_loop/event_loop.hpp"
#include "execution_context/idle/poll_duty.hpp"
#include "fiber/runner.hpp"

#include <weft/event_loop_strategy.hpp>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace weft {

class SharedLoop {
 public:
  /// The loop of `strategy`, kept while somebody has the pointer; null if its contexts have loops of their
  /// own. Throws std::system_error when the process has no more descriptors or threads.
  static std::shared_ptr<SharedLoop> of(const EventLoopStrategy& strategy);

  explicit SharedLoop(const EventLoopStrategy& strategy);
  ~SharedLoop();
  SharedLoop(const SharedLoop&) = delete;
  SharedLoop& operator=(const SharedLoop&) = delete;

  /// In a child of fork(): those there were stay with the contexts that have them, and do nothing.
  static void become_inherited() noexcept;
  /// While a thread forks no other changes the list of loops.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork() noexcept;

  EventLoop& loop() noexcept { return *loop_; }
  PollDuty& duty() noexcept { return duty_; }

  void add(Context& context);
  /// Returns when nobody wakes threads of the context any more.
  void remove(Context& context) noexcept;

  /// The duty was freed: some parked thread must take it up (DU1). Suspends: no.
  void offer_duty() noexcept;

 private:
  /// No fiber is at home in the thread that only polls.
  class Nobody final : public Home {
   public:
    void enqueue(Fiber& fiber) noexcept override;
  };

  void poll() noexcept;

  const EventLoopStrategy strategy_;
  const std::unique_ptr<EventLoop> loop_;
  PollDuty duty_;
  Atomic<std::uint32_t> context_count_{0};  // the size of contexts_
  std::mutex lock_;
  std::vector<Context*> contexts_;  // guarded by lock_

  Nobody nobody_;
  Atomic<bool> stopped_{false};
  std::thread poller_;
};

}  // namespace weft
