// SPDX-License-Identifier: Apache-2.0
// Which threads run which fibers: the three kinds of execution context, and the results of their fibers.

#include <weft/weft.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

long sum_of_squares(long from, long to) {
  long sum = 0;
  for (long i = from; i < to; ++i) sum += i * i;
  return sum;
}

/// Four pieces of work, spread over the threads of a parallel context.
long sum_in_parallel(weft::ParallelContext& workers) {
  std::vector<weft::JoinHandle<long>> pieces;
  for (long i = 0; i < 4; ++i) {
    pieces.push_back(
        workers.spawn([i] { return sum_of_squares(i * 1000, (i + 1) * 1000); }, {.name = "piece"}));
  }
  long sum = 0;
  for (auto& piece : pieces)
    sum += piece.join().value();  // suspends until it is done; throws the exception of the piece
  return sum;
}

/// Fibers of one concurrent context never run in parallel with each other: the counter needs no lock.
int count_in_turns(weft::ConcurrentContext& sessions) {
  int counter = 0;
  auto add = [&counter] {
    for (int i = 0; i < 100; ++i) {
      ++counter;
      weft::yield();
    }
  };
  auto first = sessions.spawn(add);
  auto second = sessions.spawn(add);
  first.join_uncancellable();  // the fibers use the counter of this frame
  second.join_uncancellable();
  return counter;
}

}  // namespace

int main() {
  return weft::run([] {
    weft::ParallelContext workers("workers", {.parallelism = 2});  // N threads, work stealing, resizable
    weft::ConcurrentContext sessions("sessions");                  // one thread
    weft::IsolatedContext logger("logger", [] {                    // one fiber that owns one thread
      std::puts("the logger has a thread of its own");
    });
    std::printf("sum of squares: %ld\n", sum_in_parallel(workers));
    workers.resize(4);
    std::printf("counted: %d\n", count_in_turns(sessions));
    logger.join().value();

    auto sleeper = weft::spawn([] { return weft::sleep(1h).error(); });
    sleeper.cancel();  // from now on every wait in it fails with Errc::cancelled
    std::printf("the sleeper says: %s\n", sleeper.join().error().message().c_str());
  });
}
