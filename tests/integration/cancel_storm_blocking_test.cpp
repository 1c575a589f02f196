// SPDX-License-Identifier: Apache-2.0
// A cancel storm over calls on a blocking pool, waits for signals and sleeps on the boot clock. The program
// is cancelled at its k-th step, for every k until it gets through. Whatever the moment: it ends, a call that
// was started has ended and has given its value, one that was not is never made, and no signal is lost.
#include "base/atomic.hpp"
#include "support/any_context.hpp"

#include <weft/blocking.hpp>
#include <weft/boot_clock.hpp>
#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/select.hpp>
#include <weft/signal_set.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <csignal>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

constexpr int kFibers = 3;
constexpr int kRounds = 3;

/// One run, which `scope` ends at the step with that number.
class StormOfCalls {
 public:
  StormOfCalls(BlockingPool& pool, SignalSet& signals, CancelScope& scope, int ending_step)
      : pool_(pool), signals_(signals), scope_(scope), left_(ending_step) {}

  /// False: it was cancelled.
  bool run() {
    TaskGroup<void> group;
    for (int i = 0; i < kFibers; ++i) {
      group.spawn([this] { return call(); });
      group.spawn([this] { return receive(); });
      group.spawn([this] { return select_signal(); });
      group.spawn([this] { return sleep_shortly(); });
    }
    return group.wait().has_value();
  }

  int raised() const { return raised_.load(); }
  int received() const { return received_.load(); }
  void expect_each_call_ended() const {
    EXPECT_EQ(made_.load(), given_.load());
    EXPECT_EQ(pool_.counters().waiting_calls, 0u);
  }

 private:
  void step() {
    if (left_.fetch_sub(1) == 0) scope_.cancel();
  }

  Result<void> call() {
    for (int i = 0; i < kRounds; ++i) {
      step();
      const Result<int> value = pool_.run([this, i] {
        step();  // while it runs
        made_.fetch_add(1);
        return i;
      });
      if (!value) return value.error();
      EXPECT_EQ(*value, i);
      given_.fetch_add(1);
    }
    return {};
  }

  void raise_one() {
    raised_.fetch_add(1);
    raise_signal(SIGUSR1);
  }

  Result<void> receive() {
    for (int i = 0; i < kRounds; ++i) {
      raise_one();
      step();
      const Result<Signal> signal = signals_.wait();
      if (!signal) return signal.error();
      received_.fetch_add(1);
    }
    return {};
  }

  Result<void> select_signal() {
    Channel<int> silent(1);
    for (int i = 0; i < kRounds; ++i) {
      step();
      raise_one();
      const Selected selected = select(weft::receive(silent, [](Result<int>) {}),
                                       signalled(signals_, [this](Signal) { received_.fetch_add(1); }));
      if (!selected) return selected.error();
    }
    return {};
  }

  Result<void> sleep_shortly() {
    for (int i = 0; i < kRounds; ++i) {
      step();
      if (const Result<void> slept = sleep_on_boot_clock(10us); !slept) return slept;
    }
    return {};
  }

  BlockingPool& pool_;
  SignalSet& signals_;
  CancelScope& scope_;
  Atomic<int> left_;
  Atomic<int> made_{0}, given_{0}, raised_{0}, received_{0};
};

class CancelStormBlockingTest : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(Contexts, CancelStormBlockingTest, test::all_placements(), test::kind_name);

TEST_P(CancelStormBlockingTest, AtEachStep) {
  run([] {
    BlockingPool pool("storm", {.threads_max = 2});
    SignalSet signals{SIGUSR1};
    constexpr int kStepsMax = kFibers * kRounds * 5;
    for (int k = 0; k <= kStepsMax; ++k) {
      CancelScope scope;
      StormOfCalls storm(pool, signals, scope, k);
      const bool got_through = storm.run();
      EXPECT_TRUE(got_through || k < kStepsMax) << k;  // the last steps may end nothing any more
      storm.expect_each_call_ended();
      int left = 0;
      while (signals.try_wait()) ++left;
      ASSERT_EQ(storm.raised(), storm.received() + left) << k;
    }
    EXPECT_EQ(pool.run([] { return 1; }).value(), 1);
  });
}

}  // namespace
}  // namespace weft
