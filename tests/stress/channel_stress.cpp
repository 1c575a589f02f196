// SPDX-License-Identifier: Apache-2.0
// Random sends, receives and selects over a few channels, by fibers of two contexts and plain threads, with
// deadlines and cancel requests, for WEFT_STRESS_SECONDS. Every value that a call has said to have sent must
// have been received, or be inside at the end: numbers and sums of both sides are compared. A lost wake-up
// stops the progress that a watchdog looks at.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "base/atomic.hpp"
#include "support/stress.hpp"

#include <weft/channel.hpp>
#include <weft/execution_context.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <random>
#include <thread>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;

/// What went in or came out.
struct Tally {
  Atomic<std::uint64_t> count{0};
  Atomic<std::uint64_t> sum{0};

  void add(std::uint64_t value) {
    count.fetch_add(1, relaxed);
    sum.fetch_add(value, relaxed);
  }
};

class World {
 public:
  explicit World(unsigned seed) {
    Random random(seed);
    for (int i = 0; i < 4; ++i) channels_.emplace_back(random() % 3);
  }

  void close() {
    for (Channel<std::uint64_t>& channel : channels_) channel.close();
  }

  /// Random steps until the world is closed, or the fiber was cancelled.
  void walk(unsigned seed) {
    Random random(seed);
    while (step(random)) {}
  }

  void drain() {
    for (Channel<std::uint64_t>& channel : channels_) {
      while (const Result<std::uint64_t> value = channel.receive()) received.add(*value);
    }
  }

  Tally sent;
  Tally received;

 private:
  Channel<std::uint64_t>& any(Random& random) { return channels_[random() % channels_.size()]; }

  static bool goes_on(std::error_code error) { return error != Errc::closed && error != Errc::cancelled; }

  static Deadline soon(Random& random) { return Deadline::after(std::chrono::microseconds(random() % 200)); }

  bool step(Random& random) {
    switch (random() % 6) {
      case 0: return send(random, any(random), Deadline::never());
      case 1: return send(random, any(random), soon(random));
      case 2: return receive(any(random), Deadline::never());
      case 3: return receive(any(random), soon(random));
      case 4: return try_both(random);
      default: return select_one(random);
    }
  }

  bool send(Random& random, Channel<std::uint64_t>& channel, Deadline deadline) {
    const std::uint64_t value = random();
    const Result<void> result = channel.send_until(value, deadline);
    if (result) sent.add(value);
    return goes_on(result.error());
  }

  bool receive(Channel<std::uint64_t>& channel, Deadline deadline) {
    const Result<std::uint64_t> value = channel.receive_until(deadline);
    if (value) received.add(*value);
    return goes_on(value.error());
  }

  bool try_both(Random& random) {
    const std::uint64_t value = random();
    if (any(random).try_send(value)) sent.add(value);
    const Result<std::uint64_t> got = any(random).try_receive();
    if (got) received.add(*got);
    return goes_on(got.error());
  }

  bool select_one(Random& random) {
    const std::uint64_t value = random();
    bool open = true;
    const auto was_sent = [&](Result<void> result) { result ? sent.add(value) : void(open = false); };
    const auto came = [&](Result<std::uint64_t> got) { got ? received.add(*got) : void(open = false); };
    const Deadline deadline = random() % 2 == 0 ? soon(random) : Deadline::after(1h);
    const Selected selected = select(weft::send(any(random), value, was_sent),
                                     weft::receive(any(random), came), weft::receive(any(random), came),
                                     weft::send(any(random), value, was_sent), after(deadline, [] {}));
    return selected && open;
  }

  std::deque<Channel<std::uint64_t>> channels_;
};

void play_channels(unsigned seed) {
  World world(seed);
  {
    ParallelContext workers("workers", {.parallelism = 2});
    ConcurrentContext sessions("sessions");
    std::vector<JoinHandle<void>> fibers;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 12; ++i) {
      ExecutionContext& context = i % 3 == 0 ? static_cast<ExecutionContext&>(sessions) : workers;
      fibers.push_back(context.spawn([&, i] { world.walk(seed + i); }, {.name = "walker"}));
    }
    for (unsigned i = 0; i < 2; ++i) threads.emplace_back([&, i] { world.walk(seed + 100 + i); });
    // Somebody is cancelled now and then, and replaced.
    workers
        .spawn([&] {
          for (unsigned i = 0; i < 20; ++i) {
            static_cast<void>(sleep(500us));
            fibers[i % fibers.size()].cancel();
            fibers[i % fibers.size()].join_uncancellable();
            fibers[i % fibers.size()] = spawn([&, i] { world.walk(seed + 200 + i); }, {.name = "walker"});
          }
        })
        .join_uncancellable();
    world.close();
    for (auto& fiber : fibers) fiber.join_uncancellable();
    for (std::thread& thread : threads) thread.join();
  }
  world.drain();
  ASSERT_EQ(world.sent.count.load(relaxed), world.received.count.load(relaxed)) << "seed " << seed;
  ASSERT_EQ(world.sent.sum.load(relaxed), world.received.sum.load(relaxed)) << "seed " << seed;
}

TEST(ChannelStress, LosesNoValueAndNoWakeUp) {
  const test::StressPlan plan;
  test::Watchdog watchdog;
  const auto end = std::chrono::steady_clock::now() + plan.length;
  unsigned rounds = 0;
  do {
    play_channels(plan.seed + rounds * 1000);
    watchdog.progress.fetch_add(1);
    ++rounds;
  } while (std::chrono::steady_clock::now() < end && !testing::Test::HasFatalFailure());
  std::printf("%u rounds\n", rounds);
}

}  // namespace
}  // namespace weft
