// SPDX-License-Identifier: Apache-2.0
// What the scheduler costs: yield, spawn and end, spawn and join, a wake-up there and back. Medians over
// interleaved rounds, in a context that stays alone and in one that could have siblings.
//
//   bench_scheduler                   the times, in ns
//   bench_scheduler once NAME COUNT   one of them alone, COUNT operations: for callgrind (the slope between
//   two
//                                     counts is the instructions of one) and perf
#include "execution_context/context.hpp"
#include "fiber/waiter.hpp"

#include <weft/execution_context.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

using namespace weft;

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

[[gnu::noinline]] void yield_often(int count) {
  for (int i = 0; i < count; ++i) yield();
}

/// Two fibers that yield to each other, `count` yields in all; at the same place, as the fibers of a server
/// do.
void yield_between_two(int count) {
  auto other = spawn([count] { yield_often(count / 2); });
  yield_often(count / 2);
  other.join_uncancellable();
}

/// The same with a place for each: the CPU expects each to return to where the other one came from.
void yield_at_two_places(int count) {
  auto other = spawn([count] {
    for (int i = 0; i < count / 2; ++i) yield();
  });
  yield_often(count / 2);
  other.join_uncancellable();
}

/// Detached fibers, a few at a time: spawn, run, finish, reuse of the stack.
void spawn_and_end(int count) {
  constexpr int kBatch = 32;
  for (int i = 0; i < count; i += kBatch) {
    for (int j = 0; j < kBatch; ++j) spawn([] {});
    yield();
  }
}

void spawn_and_join(int count) {
  for (int i = 0; i < count; ++i) spawn([] {}).join_uncancellable();
}

/// A fiber that waits for another to win its wait; no lock, as both run on one thread.
struct Turn {
  Waiter* waiter = nullptr;
  WaitTicket ticket;

  void wait() {
    waiter = &Waiter::current();
    ticket = waiter->begin(WaitWord::Cancellable::kNo);
    waiter->wait();
  }
  void wake() {
    if (waiter->word.try_win(ticket, WaitOutcome::kReady)) waiter->wake();
  }
};

[[gnu::noinline]] void take_turns(Turn& mine, Turn& theirs, int count) {
  for (int i = 0; i < count; ++i) {
    mine.wait();
    theirs.wake();
  }
}

/// Each waits, and wakes the other: `count` wake-ups.
void ping_pong(int count) {
  Turn here, there;
  auto other = spawn([&] { take_turns(there, here, count / 2); });
  yield();  // it waits
  there.wake();
  take_turns(here, there, count / 2 - 1);
  here.wait();
  other.join_uncancellable();
}

struct Benchmark {
  const char* name;
  void (*run)(int count);
};

constexpr Benchmark kBenchmarks[] = {{"yield", yield_between_two},
                                     {"two places", yield_at_two_places},
                                     {"spawn", spawn_and_end},
                                     {"join", spawn_and_join},
                                     {"ping-pong", ping_pong}};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// ns for each operation, timed within the context.
double timed(ExecutionContext& context, const Benchmark& benchmark, int count) {
  return context
      .spawn([&] {
        const double start = now();
        benchmark.run(count);
        return (now() - start) / count;
      })
      .join_uncancellable();
}

int run_all() {
  constexpr int kRounds = 31;
  constexpr int kCount = 64'000;
  ConcurrentContext alone("alone");
  ParallelContext sharing("sharing", {.parallelism = 1});
  std::printf("%-12s %10s %10s\n", "ns", "concurrent", "parallel 1");
  for (const Benchmark& benchmark : kBenchmarks) {
    std::vector<double> concurrent, parallel;
    for (int round = 0; round < kRounds; ++round) {
      concurrent.push_back(timed(alone, benchmark, kCount));
      parallel.push_back(timed(sharing, benchmark, kCount));
    }
    std::printf("%-12s %10.1f %10.1f\n", benchmark.name, median(concurrent), median(parallel));
  }
  return 0;
}

int run_once(std::string_view name, int count) {
  for (const Benchmark& benchmark : kBenchmarks) {
    if (name == benchmark.name) return run([&] { benchmark.run(count); });
  }
  std::fprintf(stderr, "no such benchmark\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "once") == 0) return run_once(argv[2], std::atoi(argv[3]));
  return run_all();
}
