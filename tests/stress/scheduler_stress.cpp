// SPDX-License-Identifier: Apache-2.0
// Random spawning, yielding, sleeping, waking, cancelling, joining, resizing, and contexts that come and go,
// for WEFT_STRESS_SECONDS. Each fiber says beforehand how many steps it does, and counts those it did: a lost
// wake-up hangs (and is reported by name), a duplicate one breaks the counts or the wait word.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "fiber/baton.hpp"
#include "support/contexts.hpp"
#include "support/stress.hpp"

#include <weft/this_fiber.hpp>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;

/// What all fibers count together.
struct Tally {
  /// What has ended is read first: a fiber is expected before its parent ends, so if both are equal, nobody
  /// was left when the first was read. The other way round one may spawn another in between, and end.
  bool all_ended() const {
    const std::uint64_t ended = fibers_ended.load(seq_cst);
    return fibers_expected.load(seq_cst) == ended;
  }

  Atomic<std::uint64_t> steps_planned{0};
  Atomic<std::uint64_t> steps_done{0};
  Atomic<std::uint64_t> fibers_expected{0};
  Atomic<std::uint64_t> fibers_ended{0};
  Atomic<std::uint64_t> woken_early{0};
};

class Walker {
 public:
  Walker(Tally& tally, ParallelContext& workers, ConcurrentContext& sessions, unsigned seed, int depth)
      : tally_(tally), workers_(workers), sessions_(sessions), random_(seed), depth_(depth) {
    tally_.fibers_expected.fetch_add(1, relaxed);
  }
  Walker(const Walker&) = default;  // the same walker: counted once

  void walk() {
    const unsigned steps = 1 + static_cast<unsigned>(random_() % 20);
    tally_.steps_planned.fetch_add(steps, relaxed);
    for (unsigned i = 0; i < steps; ++i) {
      step();
      tally_.steps_done.fetch_add(1, relaxed);
    }
    tally_.fibers_ended.fetch_add(1, release);
  }

 private:
  void step();
  void nap();
  void sleep_cancelled();
  void join_a_child();
  void leave_a_child();
  void pass_batons();
  void use_a_context();
  JoinHandle<void> spawn_child();
  ExecutionContext& anywhere();

  Tally& tally_;
  ParallelContext& workers_;
  ConcurrentContext& sessions_;
  Random random_;
  int depth_;
};

void Walker::step() {
  switch (random_() % 10) {
    case 0: return nap();
    case 1: return sleep_cancelled();
    case 2: return join_a_child();
    case 3: return leave_a_child();
    case 4: return pass_batons();
    case 5: return use_a_context();
    case 6: return workers_.resize(1 + static_cast<std::uint32_t>(random_() % 4));
    default: return yield();
  }
}

void Walker::nap() {
  const auto start = std::chrono::steady_clock::now();
  const auto length = std::chrono::microseconds(random_() % 300);
  const bool slept = sleep(length).has_value();
  if (slept && std::chrono::steady_clock::now() - start < length) tally_.woken_early.fetch_add(1, relaxed);
}

void Walker::sleep_cancelled() {
  auto sleeper = anywhere().spawn([] { static_cast<void>(sleep(1h)); }, {.name = "sleeper"});
  if (random_() % 2 == 0) yield();
  sleeper.cancel();
  sleeper.join_uncancellable();
}

void Walker::join_a_child() {
  if (depth_ == 0) return;
  auto child = spawn_child();
  if (random_() % 4 == 0) {
    static_cast<void>(child.join_until(Deadline::after(std::chrono::microseconds(random_() % 100))));
  }
  if (child.joinable()) child.join_uncancellable();
}

void Walker::leave_a_child() {
  if (depth_ != 0) spawn_child().detach();
}

void Walker::pass_batons() {
  Baton there, back;
  auto partner = anywhere().spawn([&] {
    for (int i = 0; i < 5; ++i) {
      there.take();
      back.give();
    }
  });
  for (int i = 0; i < 5; ++i) {
    there.give();
    back.take();
  }
  partner.join_uncancellable();
}

void Walker::use_a_context() {
  if (random_() % 8 != 0) return;  // threads are dear
  if (random_() % 2 == 0) {
    ConcurrentContext own("own");
    own.spawn([] { static_cast<void>(sleep(1h)); });
    own.spawn([] { yield(); }).join_uncancellable();
  } else {
    ParallelContext own("own", {.parallelism = 2});
    for (int i = 0; i < 5; ++i) own.spawn([] { yield(); });
  }
}

JoinHandle<void> Walker::spawn_child() {
  return anywhere().spawn([walker = Walker(tally_, workers_, sessions_, static_cast<unsigned>(random_()),
                                           depth_ - 1)]() mutable { walker.walk(); },
                          {.name = "walker"});
}

ExecutionContext& Walker::anywhere() {
  if (random_() % 2 == 0) return workers_;
  return sessions_;
}

void one_round(Tally& tally, unsigned seed) {
  ParallelContext workers("workers", {.parallelism = 2});
  ConcurrentContext sessions("sessions");
  std::vector<JoinHandle<void>> roots;
  for (unsigned i = 0; i < 8; ++i) {
    roots.push_back(
        workers.spawn([walker = Walker(tally, workers, sessions, seed + i, 3)]() mutable { walker.walk(); },
                      {.name = "root"}));
  }
  for (auto& root : roots) root.join_uncancellable();
  // Detached ones are still on their way, spawning in either context: wait for them before closing anything.
  while (!tally.all_ended()) std::this_thread::yield();
  test::expect_no_fiber_lost(workers);
  test::expect_no_fiber_lost(sessions);
}

TEST(SchedulerStress, LosesNoFiberNoStepAndNoWakeUp) {
  const test::StressPlan plan;
  const std::size_t files = [] {
    ConcurrentContext warm("warm");
    return test::open_files();
  }();
  Tally tally;
  const auto end = std::chrono::steady_clock::now() + plan.length;
  unsigned rounds = 0;
  do {
    one_round(tally, plan.seed + rounds * 1000);
    ++rounds;
    ASSERT_EQ(tally.steps_done.load(relaxed), tally.steps_planned.load(relaxed)) << "round " << rounds;
  } while (std::chrono::steady_clock::now() < end && !testing::Test::HasFailure());
  EXPECT_EQ(tally.woken_early.load(relaxed), 0u);
  EXPECT_LE(test::open_files(), files);
  std::printf("%u rounds, %llu fibers, %llu steps\n", rounds,
              static_cast<unsigned long long>(tally.fibers_ended.load(relaxed)),
              static_cast<unsigned long long>(tally.steps_done.load(relaxed)));
}

}  // namespace
}  // namespace weft
