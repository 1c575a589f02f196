// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "support/contexts.hpp"

#include <weft/this_fiber.hpp>

#include <thread>
#include <utility>

namespace weft::test {

/// Lets others run: fibers of this thread, or threads.
inline void let_others_run() {
  if (this_fiber_or_null() != nullptr) yield();
  std::this_thread::yield();
}

/// Until `condition()` holds, which another fiber or thread makes true.
template <class Condition>
void until(Condition&& condition) {
  while (!condition()) let_others_run();
}

/// A fiber that is about to wait for something, so that another can go on when it stands in the queue and is
/// suspended. here() in the one, until_suspended() in the other.
class Sleeper {
 public:
  void here() { fiber_.store(this_fiber_or_null(), release); }

  void until_suspended() const {
    until([&] { return suspended(); });
  }

  bool suspended() const {
    Fiber* const fiber = fiber_.load(acquire);
    // In this order: `saved` is 0 from before begin() until the fiber has left its stack.
    return fiber != nullptr && fiber->word.waiting() && fiber->flow.machine.saved.load(acquire) != 0;
  }

 private:
  Atomic<Fiber*> fiber_{nullptr};
};

/// Spawns a fiber that is suspended in the wait `body` begins with, when this returns.
template <class Context, class Body>
auto spawn_suspended(Context& context, Body&& body) {
  Sleeper sleeper;
  auto handle = context.spawn([&sleeper, body = std::forward<Body>(body)]() mutable {
    sleeper.here();
    return body();
  });
  sleeper.until_suspended();
  return handle;
}

/// A test under every kind of context, with fibers that wait.
class WaitingInEveryContext : public EveryContext {
 protected:
  /// Runs `body` as a fiber of the context.
  template <class Body>
  void run(Body&& body) {
    context().spawn(std::forward<Body>(body)).join_uncancellable();
  }
};

}  // namespace weft::test
