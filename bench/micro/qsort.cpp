// SPDX-License-Identifier: Apache-2.0
// The published fiber_qsort: integers sorted by fibers, two for each partition down to 32, joined over
// channels. Milliseconds, medians over interleaved rounds, for each number of threads.
//
//   bench_qsort [THREADS...]     default: 1 2 4 8 16
#include <weft/channel.hpp>
#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <vector>

namespace {

constexpr std::size_t kIntegers = 200'000;
constexpr std::size_t kSortedAtOnce = 32;
constexpr int kRounds = 21;

void sort(std::span<int> values) {
  if (values.size() <= kSortedAtOnce) {
    std::sort(values.begin(), values.end());
    return;
  }
  const int pivot = values[values.size() / 2];
  const auto middle = std::partition(values.begin(), values.end(), [=](int value) { return value < pivot; });
  const auto rest = std::partition(middle, values.end(), [=](int value) { return value == pivot; });
  weft::Channel<int> done;
  for (const std::span<int> part : {std::span(values.begin(), middle), std::span(rest, values.end())}) {
    weft::spawn([&done, part] {
      sort(part);
      done.send(0).value();
    }).detach();
  }
  for (int part = 0; part < 2; ++part) done.receive().value();
}

double timed_ms(weft::ExecutionContext& context, std::vector<int> values) {
  const auto start = std::chrono::steady_clock::now();
  context.spawn([&] { sort(values); }).join_uncancellable();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!std::is_sorted(values.begin(), values.end())) std::abort();
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int i = 1; i < argc; ++i) threads.push_back(std::atoi(argv[i]));
  if (threads.empty()) threads = {1, 2, 4, 8, 16};

  std::mt19937 random(1);
  std::vector<int> values(kIntegers);
  for (int& value : values) value = static_cast<int>(random());

  std::vector<std::unique_ptr<weft::ParallelContext>> contexts;
  std::vector<std::vector<double>> times(threads.size());
  for (const int count : threads) {
    contexts.push_back(std::make_unique<weft::ParallelContext>(
        "qsort", weft::ParallelOptions{.parallelism = static_cast<std::uint32_t>(count)}));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < threads.size(); ++i) times[i].push_back(timed_ms(*contexts[i], values));
  }
  for (std::size_t i = 0; i < threads.size(); ++i) {
    std::sort(times[i].begin(), times[i].end());
    std::printf("qsort/%-4d %10.2f ms\n", threads[i], times[i][times[i].size() / 2]);
  }
}
