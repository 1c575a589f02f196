// SPDX-License-Identifier: Apache-2.0
// What the synchronization family costs, beside a bare pair of compare-and-swaps, the standard library, and
// Boost.Fiber if that is there: ns for each operation, medians over interleaved rounds, and the ratio to the
// pair.
//
//   bench_sync              all of it
//   bench_sync NAME...      some rows
#include <weft/condition_variable.hpp>
#include <weft/execution_context.hpp>
#include <weft/mutex.hpp>
#include <weft/once.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>
#include <weft/this_fiber.hpp>
#include <weft/wait_group.hpp>

#include "base/atomic.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <thread>
#include <vector>

#if WEFT_BENCH_BOOST_FIBER
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#endif

namespace {

using namespace weft;

constexpr int kFibers = 8;  // that contend
constexpr int kHeldFibers = 16;

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// The contexts of all rows, started once.
struct World {
  ConcurrentContext one{"one"};
  ConcurrentContext another{"another"};
  ParallelContext two{"two", {.parallelism = 2}};
};

/// Runs `body` in a fiber of `context`.
template <class Body>
void in(ExecutionContext& context, Body&& body) {
  context.spawn(body).join_uncancellable();
}

// -- nobody else there ------------------------------------------------------------------------------------

void pair_of_cas(World& world, int count) {
  in(world.one, [&] {
    static Atomic<std::uintptr_t> word{0};
    for (int i = 0; i < count; ++i) {
      std::uintptr_t expected = 0;
      while (!word.compare_exchange_strong(expected, 2, acquire, relaxed)) expected = 0;
      expected = 2;
      while (!word.compare_exchange_strong(expected, 0, release, relaxed)) expected = 2;
    }
  });
}

/// `step`, again and again in one fiber.
template <class Step>
void repeat(World& world, int count, Step step) {
  in(world.one, [&] {
    for (int i = 0; i < count; ++i) step();
  });
}

template <class AnyMutex>
void alone(World& world, int count) {
  static AnyMutex mutex;
  repeat(world, count, [] {
    mutex.lock();
    mutex.unlock();
  });
}

template <class AnyMutex>
void alone_shared(World& world, int count) {
  static AnyMutex mutex;
  repeat(world, count, [] {
    mutex.lock_shared();
    mutex.unlock_shared();
  });
}

void semaphore(World& world, int count) {
  static Semaphore semaphore(1);
  repeat(world, count, [] {
    semaphore.acquire_uncancellable();
    semaphore.release();
  });
}

void wait_group(World& world, int count) {
  static WaitGroup group(1);
  repeat(world, count, [] {
    group.add();
    group.done();
  });
}

// -- contended --------------------------------------------------------------------------------------------

/// `count` increments under the mutex by kFibers fibers; `work` turns of a loop outside of it for each.
void count_together(Mutex& mutex, ExecutionContext& context, int count, int work) {
  static volatile long value = 0;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < kFibers; ++i) {
    fibers.push_back(context.spawn([&mutex, count, work] {
      for (int turn = 0; turn < count / kFibers; ++turn) {
        mutex.lock();
        value = value + 1;
        mutex.unlock();
        for (int spin = 0; spin < work; ++spin) asm volatile("");
      }
    }));
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
}

template <int work>
void contended(World& world, int count) {
  Mutex mutex;
  count_together(mutex, world.two, count, work);
}

/// The same by fibers of two contexts, which cannot steal each other's.
template <int work>
void contended_across(World& world, int count) {
  Mutex mutex;
  std::thread half([&] { count_together(mutex, world.one, count / 2, work); });
  count_together(mutex, world.another, count / 2, work);
  half.join();
}

template <int work>
void contended_std(World&, int count) {
  std::mutex mutex;
  static volatile long value = 0;
  const auto body = [&] {
    for (int turn = 0; turn < count / 2; ++turn) {
      mutex.lock();
      value = value + 1;
      mutex.unlock();
      for (int spin = 0; spin < work; ++spin) asm volatile("");
    }
  };
  std::thread other(body);
  body();
  other.join();
}

/// Fibers of one thread that suspend while they hold it: each lock waits.
void held(World& world, int count) {
  in(world.one, [&] {
    Mutex mutex;
    std::vector<JoinHandle<void>> fibers;
    for (int i = 0; i < kHeldFibers; ++i) {
      fibers.push_back(spawn([&] {
        for (int turn = 0; turn < count / kHeldFibers; ++turn) {
          const std::scoped_lock lock(mutex);
          yield();
        }
      }));
    }
    for (auto& fiber : fibers) fiber.join_uncancellable();
  });
}

/// Two fibers notify each other in turn.
void notify(World& world, int count) {
  in(world.one, [&] {
    Mutex mutex;
    ConditionVariable changed;
    int turn = 0;
    const auto play = [&](int own) {
      for (int i = 0; i < count / 2; ++i) {
        std::unique_lock lock(mutex);
        changed.wait_uncancellable(lock, [&] { return turn % 2 == own; });
        ++turn;
        changed.notify_one();
      }
    };
    auto other = spawn([&] { play(1); });
    play(0);
    other.join_uncancellable();
  });
}

#if WEFT_BENCH_BOOST_FIBER
void alone_boost(World&, int count) {
  boost::fibers::mutex mutex;
  for (int i = 0; i < count; ++i) {
    mutex.lock();
    mutex.unlock();
  }
}

template <int work>
void contended_boost(World&, int count) {
  boost::fibers::mutex mutex;
  static volatile long value = 0;
  const auto half = [&] {
    std::vector<boost::fibers::fiber> fibers;
    for (int i = 0; i < kFibers / 2; ++i) {
      fibers.emplace_back([&] {
        for (int turn = 0; turn < count / kFibers; ++turn) {
          mutex.lock();
          value = value + 1;
          mutex.unlock();
          for (int spin = 0; spin < work; ++spin) asm volatile("");
        }
      });
    }
    for (auto& fiber : fibers) fiber.join_uncancellable();
  };
  std::thread other(half);
  half();
  other.join();
}

void held_boost(World&, int count) {
  boost::fibers::mutex mutex;
  std::vector<boost::fibers::fiber> fibers;
  for (int i = 0; i < kHeldFibers; ++i) {
    fibers.emplace_back([&] {
      for (int turn = 0; turn < count / kHeldFibers; ++turn) {
        const std::scoped_lock lock(mutex);
        boost::this_fiber::yield();
      }
    });
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
}

void notify_boost(World&, int count) {
  boost::fibers::mutex mutex;
  boost::fibers::condition_variable changed;
  int turn = 0;
  const auto play = [&](int own) {
    for (int i = 0; i < count / 2; ++i) {
      std::unique_lock<boost::fibers::mutex> lock(mutex);
      changed.wait_uncancellable(lock, [&] { return turn % 2 == own; });
      ++turn;
      changed.notify_one();
    }
  };
  boost::fibers::fiber other([&] { play(1); });
  play(0);
  other.join();
}
#endif

struct Row {
  const char* name;
  void (*run)(World&, int count);
  int count;
};

// Where nobody waits, enough for the fiber's start and its join from the main thread (some 100 us) not to
// show.
constexpr Row kRows[] = {
    {"pair of CAS", pair_of_cas, 1'000'000},
    {"Mutex", alone<Mutex>, 1'000'000},
    {"std::mutex", alone<std::mutex>, 1'000'000},
    {"SharedMutex, writer", alone<SharedMutex>, 1'000'000},
    {"SharedMutex, reader", alone_shared<SharedMutex>, 1'000'000},
    {"std::shared_mutex, reader", alone_shared<std::shared_mutex>, 1'000'000},
    {"Semaphore", semaphore, 1'000'000},
    {"WaitGroup add+done", wait_group, 1'000'000},
    {"contended, 2 threads", contended<0>, 40'000},
    {"contended, 2 contexts", contended_across<0>, 40'000},
    {"contended std::mutex", contended_std<0>, 40'000},
    {"contended, work", contended<300>, 10'000},
    {"contended, 2 contexts, work", contended_across<300>, 10'000},
    {"contended std::mutex, work", contended_std<300>, 10'000},
    {"held while suspended", held, 4'000},
    {"notify and wait", notify, 4'000},
#if WEFT_BENCH_BOOST_FIBER
    {"boost mutex", alone_boost, 10'000},
    {"boost contended, 2 threads", contended_boost<0>, 10'000},
    {"boost contended, work", contended_boost<300>, 10'000},
    {"boost held while suspended", held_boost, 4'000},
    {"boost notify and wait", notify_boost, 4'000},
#endif
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

bool wanted(const Row& row, int argc, char** argv) {
  return argc == 1 || std::any_of(argv + 1, argv + argc, [&](const char* name) {
           return std::string_view(row.name).find(name) != std::string_view::npos;
         });
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kRounds = 101;
  World world;
  std::vector<std::vector<double>> times(std::size(kRows));
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
      if (i != 0 && !wanted(kRows[i], argc, argv)) continue;
      const double start = now();
      kRows[i].run(world, kRows[i].count);
      times[i].push_back((now() - start) / kRows[i].count);
    }
  }
  std::printf("%-28s %8s %8s %8s\n", "ns", "median", "best", "ratio");
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (times[i].empty()) continue;
    const double best = *std::min_element(times[i].begin(), times[i].end());
    const double pair = *std::min_element(times[0].begin(), times[0].end());
    std::printf("%-28s %8.1f %8.1f %8.2f\n", kRows[i].name, median(times[i]), best, best / pair);
  }
  return 0;
}
