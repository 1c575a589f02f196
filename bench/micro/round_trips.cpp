// SPDX-License-Identifier: Apache-2.0
// Round trips between two contexts over unbuffered channels, and between two threads with a mutex and
// condition variables, by turns, so that company (another process that wants the CPUs) meets both. Public
// headers only.
//
//   bench_round_trips [milliseconds a turn, 500 by default] [turns, 8 by default]
//   for i in 1 2; do timeout 20 nice -n 19 sh -c 'while :; do :; done' & done; bench_round_trips
#include <weft/weft.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using namespace weft;
using Clock = std::chrono::steady_clock;

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

struct Cost {
  double time_us;
  double cpu_us;
};

/// Of one call of `round_trip`, called for `turn`.
template <class RoundTrip>
Cost cost_of(Clock::duration turn, RoundTrip&& round_trip) {
  const auto begin = Clock::now();
  const double cpu = cpu_us();
  double count = 0;
  while (Clock::now() - begin < turn) round_trip(), ++count;
  const double taken = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  return {taken / count, (cpu_us() - cpu) / count};
}

/// Room for one value between two threads.
class Cell {
 public:
  void put(int value) {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [&] { return !full_; });
    value_ = value;
    full_ = true;
    changed_.notify_all();
  }
  int take() {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [&] { return full_; });
    full_ = false;
    changed_.notify_all();
    return value_;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  int value_ = 0;
  bool full_ = false;
};

Cost between_threads(Clock::duration turn) {
  constexpr int kStop = -1;
  Cell there, back;
  std::thread other([&] {
    for (int value = 0; value != kStop;) {
      value = there.take();
      back.put(value);
    }
  });
  const Cost cost = cost_of(turn, [&] { there.put(1), back.take(); });
  there.put(kStop), back.take();
  other.join();
  return cost;
}

Cost between_contexts(Clock::duration turn) {
  ConcurrentContext here("here"), elsewhere("elsewhere");
  Channel<int> there, back;
  auto other = elsewhere.spawn([&] {
    for (const int value : there) {
      if (!back.send(value)) return;
    }
  });
  const Cost cost = here.spawn([&] {
                          const Cost mine =
                              cost_of(turn, [&] { there.send(1).value(), back.receive().value(); });
                          there.close();
                          return mine;
                        })
                        .join_uncancellable();
  other.join_uncancellable();
  return cost;
}

}  // namespace

int main(int count, char** arguments) {
  const std::chrono::milliseconds turn(count > 1 ? std::atoi(arguments[1]) : 500);
  const int turns = count > 2 ? std::atoi(arguments[2]) : 8;
  set_stuck_report_after(std::chrono::milliseconds(0));  // main waits for threads
  return weft::run([=] {
    std::vector<double> ratios;
    for (int i = 0; i < turns; ++i) {
      const Cost threads = between_threads(turn);
      const Cost contexts = between_contexts(turn);
      ratios.push_back(contexts.time_us / threads.time_us);
      std::printf("threads %6.1f us (CPU %6.1f)   contexts %6.1f us (CPU %6.1f)   ratio %.2f\n",
                  threads.time_us, threads.cpu_us, contexts.time_us, contexts.cpu_us, ratios.back());
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf("ratio: median %.2f, worst %.2f\n", ratios[ratios.size() / 2], ratios.back());
    return 0;
  });
}
