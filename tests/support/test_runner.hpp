// SPDX-License-Identifier: Apache-2.0
#pragma once

// The smallest schedulers: what the fiber layer needs to be tested without execution contexts. A TestHome is
// one FIFO under a mutex; TestRunners, one to a thread, run what is in it.

#include "fiber/fiber.hpp"
#include "fiber/join.hpp"
#include "sys/futex.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace weft::test {

class TestHome final : public Home {
 public:
  void enqueue(Fiber& fiber) noexcept override {
    {
      std::scoped_lock locked(mutex_);
      queue_.push_back(&fiber);
    }
    changed_.notify_one();
  }

  /// The next fiber, null if there is none.
  Fiber* try_take() {
    std::scoped_lock locked(mutex_);
    return take_locked();
  }

  /// The next fiber; null once stopped and empty.
  Fiber* take() {
    std::unique_lock locked(mutex_);
    changed_.wait(locked, [&] { return stopped_ || !queue_.empty(); });
    return take_locked();
  }

  void stop() {
    {
      std::scoped_lock locked(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }

 private:
  Fiber* take_locked() {
    if (queue_.empty()) return nullptr;
    Fiber* const fiber = queue_.front();
    queue_.pop_front();
    return fiber;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Fiber*> queue_;
  bool stopped_ = false;
};

/// Runs fibers on the thread that constructs it; each switch goes over the thread's root stack.
class TestRunner final : public Runner {
 public:
  explicit TestRunner(TestHome& fibers, StackPool& pool = StackPool::process())
      : fibers_(fibers), cache_(pool) {
    home = &fibers;
    stacks = &cache_;
    adopt_root_flow(root_);
    set_this_runner(this);
  }
  ~TestRunner() { set_this_runner(nullptr); }

  void run_until_idle() {
    while (Fiber* const fiber = fibers_.try_take()) resume(*fiber);
  }
  void run_until_stopped() {
    while (Fiber* const fiber = fibers_.take()) resume(*fiber);
  }

  void resume(Fiber& fiber) {
    // P3: the wait for a late save stands on the root stack. Acquire: pairs with the switch's release.
    while (fiber.flow.machine.saved.load(acquire) == 0) std::this_thread::yield();
    current = &fiber;
    switch_flow(root_, fiber.flow);
    current = nullptr;
    if (Fiber* const finished = std::exchange(finished_, nullptr)) finished->release(cache_.pool(), &cache_);
  }

  void suspend() noexcept override { switch_flow(current->flow, root_); }
  void yield() noexcept override {
    fibers_.enqueue(*current);
    suspend();
  }
  [[noreturn]] void finish() noexcept override {
    finished_ = current;
    switch_flow(current->flow, root_, true);
    std::terminate();
  }
  void entered() noexcept override {}
  void arm_timer(Waiter& waiter) noexcept override {
    waiter.armed_at_ns.store(waiter.deadline_ns.load(relaxed), relaxed);
    waiter.uses_timer = true;
    armed = &waiter;
  }
  void disarm_timer(Waiter& waiter) noexcept override {
    waiter.armed_at_ns.store(Waiter::kNoDeadline, relaxed);
    armed = nullptr;
  }

  Waiter* armed = nullptr;  ///< whose timer was armed last

 private:
  TestHome& fibers_;
  StackCache cache_;
  Flow root_;
  Fiber* finished_ = nullptr;
};

/// A fiber that runs `body`, not yet enqueued. The caller owns the handle's reference.
template <class Body>
Fiber& make_fiber(Home& home, Body body, FiberOptions options = {}, StackPool& pool = StackPool::process()) {
  Runner* const runner = this_runner();
  options.storage_size = sizeof(Body);
  options.storage_alignment = alignof(Body);
  Fiber* const fiber = Fiber::create(pool, runner != nullptr ? runner->stacks : nullptr, options);
  if (fiber == nullptr) throw std::bad_alloc();
  new (fiber->storage) Body(std::move(body));
  fiber->home = &home;
  // The closure stays as the "result", so that drop() has one thing to do in all cases but an exception.
  fiber->main = [](void* storage) {
    Body& own = *static_cast<Body*>(storage);
    try {
      own();
    } catch (const std::exception&) {
      own.~Body();
      throw;
    }
  };
  fiber->drop = [](void* storage) noexcept { static_cast<Body*>(storage)->~Body(); };
  return *fiber;
}

template <class Body>
Fiber& spawn(Home& home, Body body, FiberOptions options = {}, StackPool& pool = StackPool::process()) {
  Fiber& fiber = make_fiber(home, std::move(body), options, pool);
  home.enqueue(fiber);
  return fiber;
}

/// Gives back a handle's reference.
inline void drop_handle(Fiber& fiber, StackPool& pool = StackPool::process()) {
  Runner* const runner = this_runner();
  fiber.release(pool, runner != nullptr ? runner->stacks : nullptr);
}

inline void yield() { this_runner()->yield(); }

/// Runs fibers on `count` threads of its own until it is destroyed; all of them must have ended by then.
class TestThreads {
 public:
  explicit TestThreads(TestHome& home, int count, StackPool& pool = StackPool::process()) : home_(home) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([&home, &pool] {
        TestRunner runner(home, pool);
        runner.run_until_stopped();
      });
    }
  }
  ~TestThreads() {
    home_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  TestHome& home_;
  std::vector<std::thread> threads_;
};

}  // namespace weft::test
