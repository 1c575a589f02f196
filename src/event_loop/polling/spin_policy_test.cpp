// SPDX-License-Identifier: Apache-2.0
#include "event_loop/polling/spin_policy.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

/// A loop in fast motion: windows of events, each at a price.
class SpinPolicyTest : public testing::Test {
 protected:
  struct Window {
    int events = 1000;
    int sleeps = 500;
    int spins = 0;
    int useful_spins = 0;
    std::int64_t cpu_per_event_ns = 8'000;
    std::uint64_t thread = 1;
    std::int64_t pause_ns = 0;
  };

  void pass(const Window& window) {
    for (int i = 0; i < window.events; ++i) policy_.polled(1, i < window.sleeps ? 1 : 0);
    for (int i = 0; i < window.spins; ++i) policy_.spun(i < window.useful_spins);
    now_ns_ += SpinPolicy::kWindowNs + window.pause_ns;
    cpu_ns_ += window.events * window.cpu_per_event_ns;
    ASSERT_TRUE(policy_.window_over(now_ns_));
    policy_.decide(now_ns_, {cpu_ns_, window.thread});
  }

  /// The first window has no CPU time to compare with; the second asks for a trial.
  void start_trial() {
    pass({});
    pass({});
    ASSERT_TRUE(policy_.spinning());
  }

  void pass_trial(const Window& window) {
    for (std::uint32_t i = 0; i < SpinPolicy::kWindowsOfTrial; ++i) pass(window);
  }

  SpinPolicy policy_;
  std::int64_t now_ns_ = 1'000'000'000;
  std::int64_t cpu_ns_ = 0;
};

constexpr int kFew = 100;  // of 1000: below one in eight

TEST_F(SpinPolicyTest, IsNotTriedWhereFewEventsComeAfterASleep) {
  for (int i = 0; i < 10; ++i) pass({.sleeps = kFew});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, IsNotTriedOnWindowsWithHardlyAnEvent) {
  for (int i = 0; i < 10; ++i) pass({.events = 5, .sleeps = 5});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, StaysOnWhenAnEventCostsLess) {
  start_trial();
  pass_trial({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000});
  pass({.sleeps = 0, .spins = 500, .useful_spins = 500});
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, StaysOnWhenEventsComeMuchFasterAtAHigherPrice) {
  start_trial();
  pass_trial({.events = 2000, .sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 9'000});
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, StaysOnWhenEventsComeAQuarterFasterAtTheSamePrice) {
  start_trial();
  pass_trial({.events = 1250, .sleeps = 0, .spins = 500, .useful_spins = 500});
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, GoesOffWhenAQuarterFasterIsTooDear) {
  start_trial();
  pass_trial({.events = 1250, .sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 9'000});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, GoesOffWhenItOnlyBurns) {
  start_trial();
  pass_trial({.events = 1080, .sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 9'400});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, TheWindowsOfATrialAreJudgedTogether) {
  start_trial();
  pass({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 9'000});  // the host was busy
  pass({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000});
  pass({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000});
  pass({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000});
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, APauseSaysNothingOfCostAndDoesNotEndATrial) {
  constexpr Window kCheap{.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000};
  Window pause = kCheap;
  pause.cpu_per_event_ns = 50'000;
  pause.pause_ns = 10 * SpinPolicy::kWindowNs;
  start_trial();
  for (std::uint32_t i = 0; i < SpinPolicy::kWindowsOfTrial; ++i) {
    pass(pause);
    pass(kCheap);
  }
  pass(kCheap);
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, ATrialThatCannotBeJudgedEnds) {
  start_trial();
  for (std::uint32_t i = 0; i < SpinPolicy::kWindowsOfTrialMax; ++i) {
    ASSERT_TRUE(policy_.spinning()) << i;
    pass({.events = 10, .sleeps = 0, .spins = 10, .useful_spins = 10});
  }
  pass({.events = 10, .sleeps = 0, .spins = 10, .useful_spins = 10});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, ATrialWhoseSpinsFindNothingEnds) {
  start_trial();
  pass_trial({.events = 30, .sleeps = 30, .spins = 30, .useful_spins = 1});
  EXPECT_FALSE(policy_.spinning());
}

// Two contexts that answer each other: this one's spins find nothing as long as the other one sleeps.
TEST_F(SpinPolicyTest, ATrialThatSucceedsOnceTheOthersHasBegunStaysOn) {
  start_trial();
  pass({.sleeps = 1000, .spins = 1000, .useful_spins = 1, .cpu_per_event_ns = 20'000});
  pass({.events = 20'000, .sleeps = 0, .spins = 20'000, .useful_spins = 20'000, .cpu_per_event_ns = 1'000});
  pass({.events = 20'000, .sleeps = 0, .spins = 20'000, .useful_spins = 20'000, .cpu_per_event_ns = 1'000});
  pass({.events = 20'000, .sleeps = 0, .spins = 20'000, .useful_spins = 20'000, .cpu_per_event_ns = 1'000});
  EXPECT_TRUE(policy_.spinning());
}

TEST_F(SpinPolicyTest, GoesOffWhenTheLoadGoesAway) {
  start_trial();
  pass_trial({.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000});
  pass({.events = 10, .sleeps = 9, .spins = 10, .useful_spins = 1});
  EXPECT_FALSE(policy_.spinning());
}

TEST_F(SpinPolicyTest, TriesAgainLessAndLessOften) {
  int trials = 0;
  constexpr int kWindows = 1000;
  for (int i = 0; i < kWindows; ++i) {
    const bool before = policy_.spinning();
    pass({});
    if (policy_.spinning() && !before) ++trials;
  }
  // Back-offs of 1, 2, 4 ... 128 windows, and then 128 each time.
  EXPECT_GE(trials, 10);
  EXPECT_LE(trials, 20);
}

TEST_F(SpinPolicyTest, AnotherLoadIsTriedDuringABackOff) {
  constexpr Window kVain{.events = 30, .sleeps = 30, .spins = 30, .useful_spins = 1};
  for (int trials = 0; trials < 6; ++trials) {  // 64 windows of back-off
    while (!policy_.spinning()) pass({.events = 100, .sleeps = 100});
    pass_trial(kVain);
  }
  pass({.events = 200, .sleeps = 200});
  EXPECT_FALSE(policy_.spinning());
  pass({.events = 300, .sleeps = 300});
  EXPECT_TRUE(policy_.spinning());
  pass_trial(kVain);
  pass({.events = 300, .sleeps = 300});
  EXPECT_FALSE(policy_.spinning()) << "the same load again";
}

TEST_F(SpinPolicyTest, ComparesAnewNowAndThenLessOftenEachTime) {
  constexpr Window kCheap{.sleeps = 0, .spins = 500, .useful_spins = 500, .cpu_per_event_ns = 5'000};
  pass({});
  for (std::uint32_t windows = SpinPolicy::kWindowsOn; windows <= 4 * SpinPolicy::kWindowsOn; windows *= 2) {
    pass({});
    pass_trial(kCheap);
    for (std::uint32_t i = 0; i < windows; ++i) {
      ASSERT_TRUE(policy_.spinning()) << i << " of " << windows;
      pass(kCheap);
    }
    EXPECT_FALSE(policy_.spinning());
  }
}

TEST_F(SpinPolicyTest, DoesNotCompareTheCpuTimeOfTwoThreads) {
  pass({});
  pass({.thread = 2});
  EXPECT_FALSE(policy_.spinning());
  pass({.thread = 2});
  EXPECT_TRUE(policy_.spinning());
}

}  // namespace
}  // namespace weft
