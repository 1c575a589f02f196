// SPDX-License-Identifier: Apache-2.0
// What a hop to a blocking pool and back costs, beside the two switches of a hand-off between two threads by
// a mutex and a condition variable, and beside libuv's uv_queue_work. Medians over interleaved rounds;
// elapsed time, and CPU time of the process. The last column is the median over the rounds of the ratio to
// the hand-off of the same round.
//
//   bench_blocking [rounds]
#include <weft/blocking.hpp>
#include <weft/execution_context.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#if WEFT_BENCH_LIBUV
#include <uv.h>
#endif

namespace {

constexpr int kHops = 20'000;

struct Cost {
  double elapsed_ns;
  double cpu_ns;
};

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

template <class Body>
Cost cost_of(Body&& body) {
  const double start = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  body();
  return {(seconds_of(CLOCK_MONOTONIC) - start) / kHops,
          (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / kHops};
}

/// Two threads that give each other the turn.
class HandOff {
 public:
  HandOff() : other_([this] { serve(); }) {}
  ~HandOff() {
    give(kEnd);
    other_.join();
  }

  Cost run() {
    return cost_of([this] {
      for (int i = 0; i < kHops; ++i) {
        give(kTheirs);
        take(kOurs);
      }
    });
  }

 private:
  enum Turn { kOurs, kTheirs, kEnd };

  void give(Turn turn) {
    {
      const std::scoped_lock lock(mutex_);
      turn_ = turn;
    }
    changed_.notify_one();
  }
  Turn take(Turn wanted) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == wanted || turn_ == kEnd; });
    return turn_;
  }
  void serve() {
    while (take(kTheirs) != kEnd) give(kOurs);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Turn turn_ = kOurs;
  std::thread other_;
};

Cost hops(weft::ExecutionContext& context) {
  return context
      .spawn([] {
        return cost_of([] {
          int sum = 0;
          for (int i = 0; i < kHops; ++i) sum += weft::blocking([] { return 1; }).value();
          if (sum != kHops) std::abort();
        });
      })
      .join_uncancellable();
}

void sleep_100us() {
  const timespec time{.tv_sec = 0, .tv_nsec = 100'000};
  ::nanosleep(&time, nullptr);
}

/// Scaled to a call, as the other costs are.
template <class Call>
Cost cost_of_sleeps(Call&& call) {
  constexpr int kSleeps = 500;
  const Cost cost = cost_of([&] {
    for (int i = 0; i < kSleeps; ++i) call();
  });
  return {cost.elapsed_ns * kHops / kSleeps, cost.cpu_ns * kHops / kSleeps};
}

#if WEFT_BENCH_LIBUV
/// Each hop asks for the next, in the loop's thread.
class UvHops {
 public:
  Cost run() {
    uv_loop_init(&loop_);
    const Cost cost = cost_of([this] {
      left_ = kHops;
      work_.data = this;
      next();
      uv_run(&loop_, UV_RUN_DEFAULT);
    });
    uv_loop_close(&loop_);
    return cost;
  }

 private:
  void next() {
    uv_queue_work(
        &loop_, &work_, [](uv_work_t*) {},
        [](uv_work_t* work, int) {
          auto& self = *static_cast<UvHops*>(work->data);
          if (--self.left_ > 0) self.next();
        });
  }

  uv_loop_t loop_;
  uv_work_t work_;
  int left_ = 0;
};
#endif

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Row {
  const char* name;
  std::vector<double> elapsed, cpu, ratio;

  void add(const Cost& cost, const Cost& hand_off) {
    elapsed.push_back(cost.elapsed_ns);
    cpu.push_back(cost.cpu_ns);
    ratio.push_back(cost.elapsed_ns / hand_off.elapsed_ns);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  weft::ConcurrentContext concurrent("concurrent");
  weft::ParallelContext parallel("parallel", {.parallelism = 2});
  HandOff hand_off;
  Row rows[] = {{"mutex and condition variable", {}, {}, {}},
                {"weft::blocking, 1 thread", {}, {}, {}},
                {"weft::blocking, 2 threads", {}, {}, {}},
                {"uv_queue_work", {}, {}, {}},
                {"nanosleep(100 us)", {}, {}, {}},
                {"the same in weft::blocking", {}, {}, {}}};
  for (int round = 0; round < rounds; ++round) {
    const Cost base = hand_off.run();
    rows[0].add(base, base);
    rows[1].add(hops(concurrent), base);
    rows[2].add(hops(parallel), base);
#if WEFT_BENCH_LIBUV
    rows[3].add(UvHops().run(), base);
#endif
    rows[4].add(cost_of_sleeps(sleep_100us), base);
    rows[5].add(concurrent.spawn([] { return cost_of_sleeps([] { weft::blocking(sleep_100us).value(); }); })
                    .join_uncancellable(),
                base);
  }
  std::printf("%-30s %10s %10s %8s\n", "a hop there and back", "ns", "CPU ns", "ratio");
  for (const Row& row : rows) {
    if (row.elapsed.empty()) continue;
    std::printf("%-30s %10.0f %10.0f %8.2f\n", row.name, median(row.elapsed), median(row.cpu),
                median(row.ratio));
  }
  return 0;
}
