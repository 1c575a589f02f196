// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs fibers in a simulated world on the calling thread, without an execution context: what the event loop's
// own tests need.

#include "event_loop/sim/sim_event_loop.hpp"
#include "support/test_runner.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weft::test {

template <class Loop>
class LoopRunner : public Runner, public Home {
 public:
  explicit LoopRunner(std::unique_ptr<Loop> of)
      : loop(*of), owned_(std::move(of)), cache_(StackPool::process()) {
    home = this;
    attach(*this, loop);
    stacks = &cache_;
    adopt_root_flow(root_);
    set_this_runner(this);
    loop.enter_thread();
  }
  virtual ~LoopRunner() {
    for (Fiber* const fiber : fibers_) drop_handle(*fiber);
    loop.leave_thread();
    set_this_runner(nullptr);
    loop.retire();
  }

  Loop& loop;

  /// Suspended until run().
  template <class Body>
  Fiber& spawn(Body body, FiberOptions options = {}) {
    Fiber& fiber = make_fiber(*this, std::move(body), options);
    fibers_.push_back(&fiber);
    enqueue(fiber);
    return fiber;
  }

  /// Runs until all fibers have ended, or stop() was called.
  void run() {
    stopped_ = false;
    while (!stopped_ && finished_count_ < fibers_.size()) {
      if (Fiber* const fiber = take()) {
        resume(*fiber);
      } else {
        poll();
      }
    }
  }
  void stop() { stopped_ = true; }

  void enqueue(Fiber& fiber) noexcept override {
    {
      std::scoped_lock lock(mutex_);
      queue_.push_back(&fiber);
    }
    loop.interrupt();
  }

  void suspend() noexcept override { switch_flow(current->flow, root_); }
  void yield() noexcept override {
    enqueue(*current);
    suspend();
  }
  [[noreturn]] void finish() noexcept override {
    finished_ = current;
    switch_flow(current->flow, root_, true);
    std::terminate();
  }
  void entered() noexcept override {}
  void arm_timer(Waiter& waiter) noexcept override {
    if (loop.timers().arm(waiter)) loop.interrupt();
  }
  void disarm_timer(Waiter& waiter) noexcept override { loop.timers().disarm(waiter); }

 private:
  Fiber* take() {
    std::scoped_lock lock(mutex_);
    if (queue_.empty()) return nullptr;
    Fiber* const fiber = queue_.front();
    queue_.pop_front();
    return fiber;
  }

  void resume(Fiber& fiber) {
    current = &fiber;
    budget = 64;
    switch_flow(root_, fiber.flow);
    current = nullptr;
    if (Fiber* const finished = std::exchange(finished_, nullptr)) {
      ++finished_count_;
      finished->release(cache_.pool(), &cache_);
    }
  }

  void poll() {
    loop.prepare_to_block();
    {
      std::scoped_lock lock(mutex_);
      if (!queue_.empty()) return loop.cancel_block();
    }
    FiberQueue runnable;
    loop.run(*this, runnable);
    while (Fiber* const fiber = runnable.pop()) enqueue(*fiber);
  }

  const std::unique_ptr<Loop> owned_;
  StackCache cache_;
  Flow root_;
  Fiber* finished_ = nullptr;
  bool stopped_ = false;
  std::size_t finished_count_ = 0;
  std::vector<Fiber*> fibers_;

  std::mutex mutex_;
  std::deque<Fiber*> queue_;  // guarded by mutex_
};

/// A simulated world.
class SimRunner final : public LoopRunner<SimEventLoop> {
 public:
  explicit SimRunner(SimOptions options = {})
      : LoopRunner(std::make_unique<SimEventLoop>(std::move(options))) {}
};

/// Suspends the calling fiber for some time of its loop's clock.
inline WaitOutcome sleep_until(Deadline deadline) {
  Waiter& self = Waiter::current();
  self.begin(WaitWord::Cancellable::kYes, deadline.time_ns());
  return self.wait();
}

}  // namespace weft::test
