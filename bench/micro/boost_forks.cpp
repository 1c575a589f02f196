// SPDX-License-Identifier: Apache-2.0
// Boost.Fiber's half of bench_group and bench_qsort: fib and fiber_qsort, a child being run at once
// (launch::dispatch), which is its quickest order. One thread takes stacks from a pool; with more, fibers end
// on other threads than they began on, which its pool forbids: there the stacks come from malloc.
//
//   bench_boost_forks       "NAME/THREADS TIME": ns for each fork, ms for each sort
#include <algorithm>
#include <boost/fiber/all.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace {

namespace fibers = boost::fibers;

constexpr std::size_t kStackSize = 64 * 1024;
constexpr int kFib = 20;
constexpr int kForks = 10945;  // calls with n >= 2
constexpr std::size_t kIntegers = 200'000;
constexpr std::size_t kSortedAtOnce = 32;
constexpr int kRounds = 7;

template <class Stack, class Function>
fibers::fiber start(Stack& stack, Function&& function) {
  return fibers::fiber(fibers::launch::dispatch, std::allocator_arg, stack, std::forward<Function>(function));
}

template <class Stack>
long fib(Stack& stack, int n) {
  if (n < 2) return n;
  long left = 0;
  fibers::fiber child = start(stack, [&stack, &left, n] { left = fib(stack, n - 1); });
  const long right = fib(stack, n - 2);
  child.join();
  return left + right;
}

template <class Stack>
void sort(Stack& stack, std::span<int> values) {
  if (values.size() <= kSortedAtOnce) {
    std::sort(values.begin(), values.end());
    return;
  }
  const int pivot = values[values.size() / 2];
  const auto middle = std::partition(values.begin(), values.end(), [=](int value) { return value < pivot; });
  const auto rest = std::partition(middle, values.end(), [=](int value) { return value == pivot; });
  // Shared, as it may not be destroyed before push() has returned.
  const auto done = std::make_shared<fibers::unbuffered_channel<int>>();
  for (const std::span<int> part : {std::span(values.begin(), middle), std::span(rest, values.end())}) {
    start(stack, [&stack, done, part] {
      sort(stack, part);
      done->push(0);
    }).detach();
  }
  for (int part = 0; part < 2; ++part) done->value_pop();
}

/// `threads` of them steal from each other while it lives.
class Threads {
 public:
  explicit Threads(unsigned threads) {
    for (unsigned i = 1; i < threads; ++i) {
      others_.emplace_back([this, threads] {
        fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(threads);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_; });
      });
    }
    if (threads > 1) fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(threads);
  }
  ~Threads() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    for (std::thread& other : others_) other.join();
  }

 private:
  fibers::mutex mutex_;
  fibers::condition_variable_any changed_;
  bool over_ = false;
  std::vector<std::thread> others_;
};

template <class Function>
double median_ns(Function&& function) {
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    function();
    times.push_back(
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

template <class Stack>
void measure(unsigned threads, Stack stack) {
  const Threads running(threads);
  const double forks_ns = median_ns([&] {
    if (fib(stack, kFib) != 6765) std::abort();
  });
  std::mt19937 random(1);
  std::vector<int> values(kIntegers);
  for (int& value : values) value = static_cast<int>(random());
  const double sort_ns = median_ns([&] {
    std::vector<int> copy = values;
    sort(stack, copy);
    if (!std::is_sorted(copy.begin(), copy.end())) std::abort();
  });
  std::printf("boost fork-join/%u %.1f\nboost qsort/%u %.2f\n", threads, forks_ns / kForks, threads,
              sort_ns / 1e6);
}

}  // namespace

// The scheduling algorithm of a thread is for its life.
int main() {
  std::thread([] { measure(1, fibers::pooled_fixedsize_stack(kStackSize)); }).join();
  std::thread([] { measure(2, fibers::fixedsize_stack(kStackSize)); }).join();
}
