// SPDX-License-Identifier: Apache-2.0
// What much of something does to others: the end of a context beside many fibers, a cancel of many children,
// many equal deadlines beside a tick, a latch of many, a spawn from a plain thread. Public headers only.
//
//   bench_long_work [count, 400000 by default]
#include <weft/weft.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

namespace {

using namespace weft;
using namespace std::chrono_literals;

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

template <class Work>
double took_ms(Work&& work) {
  const double begin = now_ms();
  work();
  return now_ms() - begin;
}

double isolated_ms(ExecutionContext& around) {
  double best = 1e9;
  for (int round = 0; round < 9; ++round) {
    best = std::min(best, took_ms([&] {
                      IsolatedContext context("one", IsolatedOptions{.spawn_context = &around}, [] {});
                      context.join_uncancellable();
                    }));
  }
  return best;
}

void ends_of_contexts(int count) {
  ParallelContext around("around", {.parallelism = 1});
  const double alone = isolated_ms(around);
  ConcurrentContext crowd("crowd");
  Latch end(1);
  for (int i = 0; i < count; ++i) crowd.spawn([&] { end.wait_uncancellable(); }).detach();
  std::printf("isolated context, alone                     %10.3f ms\n", alone);
  std::printf("isolated context, beside the fibers         %10.3f ms\n", isolated_ms(around));
  const double opened = took_ms([&] { end.count_down(); });
  std::printf("latch, count_down() on a plain thread       %10.3f ms\n", opened);
}

void cancel(int count) {
  ParallelContext context("workers", {.parallelism = 2});
  context
      .spawn([&] {
        TaskGroup<void> group;
        Latch never(1);
        for (int i = 0; i < count; ++i)
          group.spawn([&]() -> Result<void> { return never.wait_until(Deadline::never()); });
        std::atomic<bool> over{false};
        double longest = 0;
        std::thread spawner([&] {  // spawns into the group meanwhile
          while (!over) {
            longest = std::max(longest, took_ms([&] { group.spawn(context, [] {}); }));
            std::this_thread::sleep_for(1ms);
          }
        });
        std::this_thread::sleep_for(20ms);
        const double cancelled = took_ms([&] { group.cancel(); });
        over = true;
        spawner.join();
        std::printf("group, cancel()                             %10.3f ms\n", cancelled);
        std::printf("group, longest spawn() meanwhile            %10.3f ms\n", longest);
      })
      .join_uncancellable();
}

void deadlines(int count) {
  ConcurrentContext context("timers");
  const Deadline together = Deadline::after(3s);
  std::atomic<int> left{count};
  for (int i = 0; i < count; ++i) {
    context
        .spawn([&] {
          static_cast<void>(sleep_until(together));
          --left;
        })
        .detach();
  }
  const double latest = context
                            .spawn([&] {
                              double worst = 0;
                              while (left != 0) {
                                const double due = now_ms() + 1;
                                static_cast<void>(sleep(1ms));
                                worst = std::max(worst, now_ms() - due);
                              }
                              return worst;
                            })
                            .join_uncancellable();
  std::printf("tick of 1 ms, late beside equal deadlines   %10.3f ms\n", latest);
}

void spawns() {
  ParallelContext context("workers", {.parallelism = 1});
  constexpr int kCount = 100'000;
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    WaitGroup done(kCount);
    const double begin = thread_cpu_ns();
    for (int i = 0; i < kCount; ++i) context.spawn([&] { done.done(); }).detach();
    best = std::min(best, (thread_cpu_ns() - begin) / kCount);
    done.wait_uncancellable();
  }
  std::printf("spawn from a plain thread, its CPU          %10.1f ns\n", best);
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
  const int count = count_of_arguments > 1 ? std::atoi(arguments[1]) : 400'000;
  spawns();
  ends_of_contexts(count);
  cancel(count);
  deadlines(count);
}
