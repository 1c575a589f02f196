// SPDX-License-Identifier: Apache-2.0
// How late a sleep of 10 ms is beside fibers that keep their thread for r ms between two yields. The bound is
// the longest single run, and 1 ms. Public headers only.
//
//   bench_late_timers [fibers, 2 by default]     prints the median and the worst of 40 sleeps for each r
#include <weft/weft.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace weft;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

void compute_for(Clock::duration time) {
  for (const auto end = Clock::now() + time; Clock::now() < end;) {}
}

std::vector<double> lateness_ms(ExecutionContext& context) {
  std::vector<double> late;
  context
      .spawn([&] {
        for (int i = 0; i < 40; ++i) {
          const auto due = Clock::now() + 10ms;
          if (!sleep(10ms)) return;
          late.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
        }
      })
      .join_uncancellable();
  std::sort(late.begin(), late.end());
  return late;
}

void measure(unsigned threads, int fibers, std::chrono::milliseconds run) {
  ParallelContext context("busy", {.parallelism = threads});
  std::atomic<bool> stop{false};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < fibers; ++i) {
    handles.push_back(context.spawn([&] {
      while (!stop) {
        compute_for(run);
        yield();
      }
    }));
  }
  const std::vector<double> late = lateness_ms(context);
  stop = true;
  for (JoinHandle<void>& handle : handles) handle.join_uncancellable();
  std::printf("%u thread%s, %d fibers of %lld ms: late by %6.2f ms (median), %6.2f ms (worst)\n", threads,
              threads == 1 ? "" : "s", fibers, static_cast<long long>(run.count()), late[late.size() / 2],
              late.back());
}

}  // namespace

int main(int count, char** arguments) {
  const int fibers = count > 1 ? std::atoi(arguments[1]) : 2;
  return weft::run([=] {
    for (const unsigned threads : {1u, 2u}) {
      for (const auto run : {1ms, 4ms, 9ms}) measure(threads, fibers, run);
    }
    return 0;
  });
}
