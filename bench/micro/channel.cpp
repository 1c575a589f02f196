// SPDX-License-Identifier: Apache-2.0
// What channels and selects cost, beside Boost.Fiber where that is installed (libboost-fiber-dev), and
// between contexts beside two threads with a mutex and condition variables (std/.../threads2). ns per
// operation, of the wall clock.
//
//   bench_channel [--benchmark_repetitions=5 --benchmark_enable_random_interleaving=true ...]
//   bench_channel once NAME COUNT     COUNT operations of one of weft's own in a concurrent context: for
//                                     callgrind (the slope between two counts is the instructions of one)
//
// round_trip: one value there and one back over unbuffered channels, within a context or between two: of a
// thread each (contexts2), of two threads each (parallels2). buffered: one value from a fiber to another over
// a channel of 128, within a context or between two. two_and_two: the same with two producers and two
// consumers. select_ready: one value into one of four buffered channels and out again by a select over them.
// select_wait: a select over four unbuffered channels, to which another fiber sends in turn.
#include <weft/channel.hpp>
#include <weft/execution_context.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include "blocking_queue.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if WEFT_BENCH_BOOST_FIBER
#include <boost/fiber/all.hpp>
#endif

namespace {

constexpr int kBatch = 20'000;
constexpr std::size_t kCapacity = 128;

/// `spawn` starts the other side.
template <class Spawn>
void round_trip_with(int count, Spawn&& spawn) {
  weft::Channel<int> there, back;
  auto other = spawn([&] {
    for (int value : there) back.send(value).value();
  });
  for (int i = 0; i < count; ++i) {
    there.send(i).value();
    benchmark::DoNotOptimize(back.receive().value());
  }
  there.close();
  other.join_uncancellable();
}

void round_trip(int count) {
  round_trip_with(count, [](auto&& echo) { return weft::spawn(echo); });
}

template <class Spawn>
void buffered_with(int count, Spawn&& spawn) {
  weft::Channel<int> channel(kCapacity);
  auto other = spawn([&] {
    for (int value : channel) benchmark::DoNotOptimize(value);
  });
  for (int i = 0; i < count; ++i) channel.send(i).value();
  channel.close();
  other.join_uncancellable();
}

void buffered(int count) {
  buffered_with(count, [](auto&& consume) { return weft::spawn(consume); });
}

void two_and_two(int count) {
  weft::Channel<int> channel(kCapacity);
  std::vector<weft::JoinHandle<void>> producers, consumers;
  for (int side = 0; side < 2; ++side) {
    consumers.push_back(weft::spawn([&] {
      for (int value : channel) benchmark::DoNotOptimize(value);
    }));
    producers.push_back(weft::spawn([&, count] {
      for (int i = 0; i < count / 2; ++i) channel.send(i).value();
    }));
  }
  for (auto& producer : producers) producer.join_uncancellable();
  channel.close();
  for (auto& consumer : consumers) consumer.join_uncancellable();
}

template <class Function>
void receive_from_four(weft::Channel<int> (&channels)[4], Function&& f) {
  weft::select(weft::receive(channels[0], f), weft::receive(channels[1], f), weft::receive(channels[2], f),
               weft::receive(channels[3], f));
}

void select_ready(int count) {
  weft::Channel<int> channels[4] = {weft::Channel<int>(1), weft::Channel<int>(1), weft::Channel<int>(1),
                                    weft::Channel<int>(1)};
  for (int i = 0; i < count; ++i) {
    channels[i % 4].send(i).value();
    receive_from_four(channels, [](weft::Result<int> value) { benchmark::DoNotOptimize(*value); });
  }
}

void select_wait(int count) {
  weft::Channel<int> channels[4];
  auto other = weft::spawn([&, count] {
    for (int i = 0; i < count; ++i) channels[i % 4].send(i).value();
  });
  for (int i = 0; i < count; ++i) {
    receive_from_four(channels, [](weft::Result<int> value) { benchmark::DoNotOptimize(*value); });
  }
  other.join_uncancellable();
}

struct Row {
  const char* name;
  void (*run)(int count);
};
constexpr Row kRows[] = {{"round_trip", round_trip},
                         {"buffered", buffered},
                         {"two_and_two", two_and_two},
                         {"select_ready", select_ready},
                         {"select_wait", select_wait}};

void measure(benchmark::State& state, weft::ExecutionContext& context, void (*run)(int)) {
  while (state.KeepRunningBatch(kBatch)) context.spawn([run] { run(kBatch); }).join_uncancellable();
}

/// Between fibers of `one` and fibers of `other`.
template <class Context>
void register_between(const std::string& name, Context& one, Context& other) {
  const auto add = [&](const char* row, auto run) {
    benchmark::RegisterBenchmark(("weft/" + std::string(row) + "/" + name).c_str(),
                                 [&one, &other, run](benchmark::State& state) {
                                   const auto spawn = [&other](auto&& body) { return other.spawn(body); };
                                   while (state.KeepRunningBatch(kBatch))
                                     one.spawn([&] { run(kBatch, spawn); }).join_uncancellable();
                                 })
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  };
  add("round_trip", [](int count, auto&& spawn) { round_trip_with(count, spawn); });
  add("buffered", [](int count, auto&& spawn) { buffered_with(count, spawn); });
}

void register_weft() {
  static weft::ConcurrentContext concurrent("concurrent");
  static weft::ParallelContext parallel1("parallel1", {.parallelism = 1});
  static weft::ParallelContext parallel2("parallel2", {.parallelism = 2});
  const std::pair<const char*, weft::ExecutionContext*> contexts[] = {
      {"concurrent", &concurrent}, {"parallel1", &parallel1}, {"parallel2", &parallel2}};
  for (const Row& row : kRows) {
    for (const auto& [context_name, context] : contexts) {
      benchmark::RegisterBenchmark(
          (std::string("weft/") + row.name + "/" + context_name).c_str(),
          [run = row.run, context = context](benchmark::State& state) { measure(state, *context, run); })
          ->UseRealTime()
          ->MeasureProcessCPUTime();
    }
  }
  static weft::ConcurrentContext another("another");
  static weft::ParallelContext another2("another2", {.parallelism = 2});
  register_between("contexts2", concurrent, another);
  register_between("parallels2", parallel2, another2);
}

void std_round_trip(int count) {
  BlockingQueue there(1), back(1);
  std::thread other([&, count] {
    for (int i = 0; i < count; ++i) back.push(there.pop());
  });
  for (int i = 0; i < count; ++i) {
    there.push(i);
    benchmark::DoNotOptimize(back.pop());
  }
  other.join();
}

void std_buffered(int count) {
  BlockingQueue queue(kCapacity);
  std::thread other([&, count] {
    for (int i = 0; i < count; ++i) benchmark::DoNotOptimize(queue.pop());
  });
  for (int i = 0; i < count; ++i) queue.push(i);
  other.join();
}

void register_peer(const std::string& name, void (*run)(int)) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [run](benchmark::State& state) {
                                 while (state.KeepRunningBatch(kBatch)) run(kBatch);
                               })
      ->UseRealTime()
      ->MeasureProcessCPUTime();
}

#if WEFT_BENCH_BOOST_FIBER

void boost_round_trip(int count) {
  boost::fibers::unbuffered_channel<int> there, back;
  boost::fibers::fiber other([&] {
    for (int value : there) back.push(value);
  });
  for (int i = 0; i < count; ++i) {
    there.push(i);
    benchmark::DoNotOptimize(back.value_pop());
  }
  there.close();
  other.join();
}

void boost_buffered(int count) {
  boost::fibers::buffered_channel<int> channel(kCapacity);
  boost::fibers::fiber other([&] {
    for (int value : channel) benchmark::DoNotOptimize(value);
  });
  for (int i = 0; i < count; ++i) channel.push(i);
  channel.close();
  other.join();
}

void register_boost() {
  register_peer("boost/round_trip", boost_round_trip);
  register_peer("boost/buffered", boost_buffered);
}

#else
void register_boost() {}
#endif

int run_once(std::string_view name, int count) {
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    weft::ConcurrentContext context("once");
    context.spawn([&] { row.run(count); }).join_uncancellable();
    return 0;
  }
  std::fprintf(stderr, "no benchmark has that name\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "once") return run_once(argv[2], std::atoi(argv[3]));
  register_weft();
  register_peer("std/round_trip/threads2", std_round_trip);
  register_peer("std/buffered/threads2", std_buffered);
  register_boost();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
