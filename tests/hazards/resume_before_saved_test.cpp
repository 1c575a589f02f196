// SPDX-License-Identifier: Apache-2.0
// P3: two schedulers hand each other the fibers that they are just leaving. Whoever waited for the other's
// save before its own were done would wait for ever; whoever resumed before the save would run on torn
// registers.
#include "support/test_runner.hpp"

#include <gtest/gtest.h>

#include <array>

namespace weft {
namespace {

/// A scheduler that goes from fiber to fiber directly when it can, as real ones do, and over its root stack
/// when the next one is still being left by the other scheduler.
class CrosswiseRunner final : public Runner, public Home {
 public:
  CrosswiseRunner() = default;

  void enqueue(Fiber& fiber) noexcept override { inbox_.enqueue(fiber); }
  void suspend() noexcept override {
    Fiber& self = *current;
    Fiber* const next = inbox_.try_take();
    // Acquire: pairs with the release in the switch that left `next`.
    if (next != nullptr && next->flow.machine.saved.load(acquire) != 0) {
      direct.fetch_add(1, relaxed);
      current = next;
      switch_flow(self.flow, next->flow);
    } else {
      next_ = next;
      switch_flow(self.flow, root_);
    }
  }
  void yield() noexcept override { suspend(); }
  [[noreturn]] void finish() noexcept override {
    switch_flow(current->flow, root_, true);
    std::terminate();
  }
  void entered() noexcept override {}
  void arm_timer(Waiter&) noexcept override {}
  void disarm_timer(Waiter&) noexcept override {}

  /// Until `running` is 0; on a thread of its own.
  void run(Atomic<int>& running) {
    adopt_root_flow(root_);
    set_this_runner(this);
    while (running.load(acquire) != 0) {
      Fiber* const fiber = next_ != nullptr ? std::exchange(next_, nullptr) : inbox_.try_take();
      if (fiber == nullptr) {
        std::this_thread::yield();  // the other may need this CPU
        continue;
      }
      while (fiber->flow.machine.saved.load(acquire) == 0) std::this_thread::yield();
      current = fiber;
      switch_flow(root_, fiber->flow);
    }
    set_this_runner(nullptr);
  }

  Atomic<int> direct{0};

 private:
  test::TestHome inbox_;
  Fiber* next_ = nullptr;
  Flow root_;
};

TEST(ResumeBeforeSaved, P3_TwoFibersChangePlacesBetweenTwoSchedulers) {
  constexpr int kRounds = 2'000;
  std::array<CrosswiseRunner, 2> runners;
  Atomic<int> running{2};
  std::array<Fiber*, 2> fibers{};
  for (std::size_t i = 0; i < 2; ++i) {
    fibers[i] = &test::spawn(runners[i], [&runners, &running, i] {
      std::size_t here = i;
      std::uint64_t sum = 0;
      for (int round = 0; round < kRounds; ++round) {
        here = 1 - here;
        runners[here].enqueue(*this_fiber_or_null());  // the other one may take it at once
        this_runner()->suspend();
        ASSERT_EQ(this_runner(), &runners[here]);
        sum += static_cast<std::uint64_t>(round);
      }
      EXPECT_EQ(sum, std::uint64_t{kRounds} * (kRounds - 1) / 2);
      running.fetch_sub(1, acq_rel);
    });
  }
  std::thread other([&] { runners[1].run(running); });
  runners[0].run(running);
  other.join();
  for (Fiber* fiber : fibers) {
    EXPECT_TRUE(fiber->main_returned);
    while (fiber->flow.machine.saved.load(acquire) == 0) cpu_relax();
    test::drop_handle(*fiber);
    test::drop_handle(*fiber);
  }
}

TEST(ResumeBeforeSaved, S3_ASavedFiberIsNotSavedWhileItRuns) {
  test::TestHome home;
  test::TestRunner runner(home);
  std::uint32_t seen = 7;
  Fiber& fiber = test::spawn(home, [&] {
    seen = this_fiber_or_null()->flow.machine.saved.load();
    test::yield();
    seen += this_fiber_or_null()->flow.machine.saved.load();
  });
  EXPECT_EQ(fiber.flow.machine.saved.load(), 1u) << "a new fiber can be resumed";
  runner.run_until_idle();
  EXPECT_EQ(seen, 0u);
  test::drop_handle(fiber);
}

}  // namespace
}  // namespace weft
