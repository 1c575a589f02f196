// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two threads and a fiber that goes from one to the other whenever it says hop(): what a work-stealing
// context does now and then, done at every statement.

#include "support/test_runner.hpp"

#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <sys/types.h>
#include <unistd.h>

namespace weft::test {

class Hops {
 public:
  Hops() : threads_{std::thread([this] { run(homes_[0]); }), std::thread([this] { run(homes_[1]); })} {}
  ~Hops() {
    for (TestHome& home : homes_) home.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Runs `body(hop)` in a fiber and waits for it. Call `hop()` to go to the other thread.
  template <class Body>
  void run_fiber(Body body) {
    Fiber& fiber = start(std::move(body));
    join_fiber(fiber, Deadline::never(), WaitWord::Cancellable::kNo);
    EXPECT_TRUE(fiber.main_returned);
    drop_handle(fiber);
  }

  template <class Body>
  Fiber& start(Body body) {
    return spawn(homes_[0], [this, body = std::move(body)]() mutable { body([this] { hop(); }); });
  }

  /// Suspends here, continues on the other thread.
  void hop() {
    Fiber& self = this_fiber_required("hop");
    self.home = self.home == &homes_[0] ? &homes_[1] : &homes_[0];
    self.home->enqueue(self);
    this_runner()->suspend();
  }

 private:
  static void run(TestHome& home) {
    TestRunner runner(home);
    runner.run_until_stopped();
  }

  std::array<TestHome, 2> homes_;
  std::array<std::thread, 2> threads_;
};

}  // namespace weft::test
