// SPDX-License-Identifier: Apache-2.0
// What structured concurrency costs: fork-join of fib, a fork being a fiber with a handle (what the peers of
// bench/primitives.py have: a goroutine and a WaitGroup, a boost::fibers::fiber), or a child of a TaskGroup;
// a scope; a wait in a scope. Medians over interleaved rounds.
//
//   bench_group             the times, in ns
//   bench_group once NAME   one of them alone, for perf
#include "fiber/waiter.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/execution_context.hpp>
#include <weft/join_handle.hpp>
#include <weft/task_group.hpp>
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

/// One fiber for each call, the other half in the caller.
long fib_by_handle(int n) {
  if (n < 2) return n;
  long left = 0;
  JoinHandle<void> child = spawn([&left, n] { left = fib_by_handle(n - 1); });
  const long right = fib_by_handle(n - 2);
  child.join_uncancellable();
  return left + right;
}

/// The same with a group, which also carries failures over and cancels.
long fib(int n) {
  if (n < 2) return n;
  long left = 0;
  TaskGroup<void> group;
  group.spawn([&left, n] { left = fib(n - 1); });
  const long right = fib(n - 2);
  if (!group.wait()) std::abort();
  return left + right;
}

/// Two children for each call, with results.
long fib_of_two(int n) {
  if (n < 2) return n;
  TaskGroup<long> group;
  group.spawn([n] { return fib_of_two(n - 1); });
  group.spawn([n] { return fib_of_two(n - 2); });
  const std::vector<long> halves = group.wait().value();
  return halves[0] + halves[1];
}

constexpr int kFib = 20;
constexpr int kForks = 10945;  // calls with n >= 2

double fork_join_by_handle() {
  if (fib_by_handle(kFib) != 6765) std::abort();
  return kForks;
}

double fork_join() {
  if (fib(kFib) != 6765) std::abort();
  return kForks;
}

double fork_join_of_two() {
  if (fib_of_two(kFib) != 6765) std::abort();
  return 2.0 * kForks;
}

double spawn_and_join() {
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) spawn([] {}).join_uncancellable();
  return kCount;
}

double group_of_one() {
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) {
    TaskGroup<void> group;
    group.spawn([] {});
    if (!group.wait()) std::abort();
  }
  return kCount;
}

double scopes() {
  constexpr int kCount = 100'000;
  const CancelScope outer;
  for (int i = 0; i < kCount; ++i) const CancelScope scope(Deadline::at_ns(1'000'000'000'000'000'000));
  return kCount;
}

/// A wait that its own waiter has won already.
void wait_won() {
  Waiter& self = Waiter::current();
  const WaitTicket ticket = self.begin(WaitWord::Cancellable::kYes);
  if (self.word.try_win(ticket, WaitOutcome::kReady)) return;
  std::abort();
}

double waits() {
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) wait_won();
  return kCount;
}

double waits_in_a_scope() {
  const CancelScope scope;
  return waits();
}

struct Benchmark {
  const char* name;
  double (*run)();  ///< how many operations
};

constexpr Benchmark kBenchmarks[] = {{"fork-join by handle", fork_join_by_handle},
                                     {"fork-join", fork_join},
                                     {"fork-join of two", fork_join_of_two},
                                     {"spawn and join", spawn_and_join},
                                     {"group of one", group_of_one},
                                     {"scope", scopes},
                                     {"begin, win", waits},
                                     {"begin, win in a scope", waits_in_a_scope}};

double timed(ExecutionContext& context, const Benchmark& benchmark) {
  return context
      .spawn([&] {
        const double start = now();
        const double count = benchmark.run();
        return (now() - start) / count;
      })
      .join_uncancellable();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run_all() {
  constexpr int kRounds = 15;
  ConcurrentContext concurrent("concurrent");
  ParallelContext one("one", {.parallelism = 1});
  ParallelContext two("two", {.parallelism = 2});
  ExecutionContext* const contexts[] = {&concurrent, &one, &two};
  std::printf("%-24s %10s %10s %10s\n", "ns", "concurrent", "parallel 1", "parallel 2");
  for (const Benchmark& benchmark : kBenchmarks) {
    std::vector<double> times[3];
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < 3; ++i) times[i].push_back(timed(*contexts[i], benchmark));
    }
    std::printf("%-24s %10.1f %10.1f %10.1f\n", benchmark.name, median(times[0]), median(times[1]),
                median(times[2]));
  }
  return 0;
}

int run_once(std::string_view name) {
  ConcurrentContext context("once");
  for (const Benchmark& benchmark : kBenchmarks) {
    if (name != benchmark.name) continue;
    for (int i = 0; i < 20; ++i) std::printf("%.1f\n", timed(context, benchmark));
    return 0;
  }
  std::fprintf(stderr, "no such benchmark\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "once") == 0) return run_once(argv[2]);
  return run_all();
}
