// SPDX-License-Identifier: Apache-2.0
// Fibers of three contexts and plain threads lock, wait, count and give up, at random, for
// WEFT_STRESS_SECONDS: each round makes one object of each kind, lets actors loose on them, cancels some of
// them, and then finds every lock free, every permit and every item accounted for, and destroys the objects.
// A wake-up that is lost stops the progress that a watchdog looks at; one that comes twice breaks the wait
// word.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "base/atomic.hpp"
#include "fiber/fiber.hpp"
#include "support/any_context.hpp"
#include "support/stress.hpp"

#include <weft/condition_variable.hpp>
#include <weft/mutex.hpp>
#include <weft/once.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>
#include <weft/this_fiber.hpp>
#include <weft/wait_group.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace weft {
namespace {

using Random = std::minstd_rand;

constexpr int kPermits = 2;

Deadline some_deadline(Random& random) {
  return random() % 4 == 0 ? Deadline::never() : Deadline::after_ns(static_cast<long>(random() % 100'000));
}

void maybe_yield(Random& random) {
  if (random() % 3 == 0 && this_fiber::exists()) yield();
}

/// One object of each kind, and what it guards.
class Objects {
 public:
  explicit Objects(int actors) : arrived_(actors) {}

  /// What a fiber or thread does, `steps` times.
  void act(Random random, int steps, Atomic<std::uint64_t>& progress) {
    call_once(once_, [&] { ++initialized_; });
    for (int step = 0; step < steps; ++step) {
      switch (random() % 6) {
        case 0: exclude(random, mutex_.lock_until(some_deadline(random))); break;
        case 1: exclude(random, (mutex_.lock(), Result<void>())); break;
        case 2: write(random); break;
        case 3: read(random); break;
        case 4: permit(random); break;
        default: put_and_take(random); break;
      }
      progress.fetch_add(1, relaxed);
    }
    arrived_.done();
  }

  void expect_accounted_for() {
    arrived_.wait_uncancellable();
    EXPECT_EQ(initialized_, 1);
    EXPECT_TRUE(mutex_.try_lock());
    mutex_.unlock();
    EXPECT_TRUE(shared_.try_lock());
    shared_.unlock();
    EXPECT_EQ(semaphore_.available(), static_cast<std::size_t>(kPermits));
    EXPECT_EQ(items_, 0);
  }

 private:
  void exclude(Random& random, Result<void> locked) {
    if (!locked) return;
    EXPECT_EQ(inside_++, 0);
    maybe_yield(random);
    --inside_;
    mutex_.unlock();
  }

  void write(Random& random) {
    if (!shared_.lock_until(some_deadline(random))) return;
    for (long& part : value_) {
      ++part;
      maybe_yield(random);
    }
    shared_.unlock();
  }

  void read(Random& random) {
    if (!shared_.lock_shared_until(some_deadline(random))) return;
    const long first = value_.front();
    maybe_yield(random);
    EXPECT_EQ(first, value_.back());
    shared_.unlock_shared();
  }

  void permit(Random& random) {
    if (!semaphore_.acquire_until(some_deadline(random))) return;
    EXPECT_LE(holders_.fetch_add(1) + 1, kPermits);
    maybe_yield(random);
    holders_.fetch_sub(1);
    semaphore_.release();
  }

  /// Each puts an item before it takes one, so there is always one for those that wait, unless a notification
  /// is lost. Who gives up takes one without waiting: it put one, and whoever took that has left another.
  void put_and_take(Random& random) {
    {
      const std::scoped_lock lock(queue_mutex_);
      ++items_;
    }
    changed_.notify_one();
    maybe_yield(random);
    std::unique_lock lock(queue_mutex_);
    const Result<void> there = changed_.wait_until(lock, some_deadline(random), [&] { return items_ > 0; });
    EXPECT_TRUE(there || items_ == 0);
    if (there) {
      --items_;
    } else {
      changed_.wait_uncancellable(lock, [&] { return items_ > 0; });
      --items_;
    }
  }

  Once once_;
  int initialized_ = 0;
  Mutex mutex_;
  int inside_ = 0;
  SharedMutex shared_;
  std::array<long, 3> value_{};
  Semaphore semaphore_{kPermits};
  Atomic<int> holders_{0};
  Mutex queue_mutex_;
  ConditionVariable changed_;
  int items_ = 0;
  WaitGroup arrived_;
};

struct Contexts {
  test::AnyContext concurrent{test::AnyContextKind::kConcurrent};
  test::AnyContext two{test::AnyContextKind::kParallel2};
  test::AnyContext four{test::AnyContextKind::kParallel4};

  test::AnyContext& any(Random& random) {
    const auto drawn = random() % 3;
    return drawn == 0 ? concurrent : drawn == 1 ? two : four;
  }
};

void play_round(Contexts& contexts, Random& random, Atomic<std::uint64_t>& progress) {
  const int fibers = 4 + static_cast<int>(random() % 20);
  const int threads = static_cast<int>(random() % 3);
  Objects objects(fibers + threads);
  std::vector<JoinHandle<void>> actors;
  std::vector<std::thread> plain;
  for (int i = 0; i < fibers; ++i) {
    actors.push_back(
        contexts.any(random).spawn([&, seed = random()] { objects.act(Random(seed), 40, progress); }));
  }
  for (int i = 0; i < threads; ++i) {
    plain.emplace_back([&, seed = random()] { objects.act(Random(seed), 40, progress); });
  }
  for (auto& actor : actors) {
    if (random() % 3 == 0) actor.cancel();
  }
  objects.expect_accounted_for();
  for (auto& actor : actors) actor.join_uncancellable();
  for (auto& thread : plain) thread.join();
}

TEST(SyncStress, LocksPermitsAndNotificationsAreAccountedFor) {
  const test::StressPlan plan;
  {
    Random random(plan.seed);
    test::Watchdog watchdog;
    Contexts contexts;
    int rounds = 0;
    const auto end = std::chrono::steady_clock::now() + plan.length;
    for (; rounds == 0 || std::chrono::steady_clock::now() < end; ++rounds) {
      play_round(contexts, random, watchdog.progress);
    }
    std::printf("%d rounds, %llu steps\n", rounds, static_cast<unsigned long long>(watchdog.progress));
  }
  std::size_t fibers = 0;
  for_each_fiber(StackPool::process(), nullptr, [&](Fiber&) { ++fibers; });
  EXPECT_EQ(fibers, 0u);
}

}  // namespace
}  // namespace weft
