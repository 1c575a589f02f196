// SPDX-License-Identifier: Apache-2.0
// The same seed gives the same run.
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "support/sim_runner.hpp"
#include "support/sim_sockets.hpp"

#include <set>
#include <sstream>

namespace weft {
namespace {

using test::connect;
using test::listen;
using test::localhost;
using test::SimHandle;
using test::SimRunner;

struct Episode {
  std::string trace;
  std::uint64_t fingerprint;
  std::int64_t end_ns;
};

void echo(const SimHandle& stream) {
  while (const Result<std::string> text = stream.read(7)) {
    if (stream.write_all(*text)) break;
  }
  EXPECT_TRUE(stream.close());
}

/// Eight clients, each with a few messages for an echo server; who does what when is traced.
Episode run_echo(const SimOptions& options) {
  std::ostringstream trace;
  SimRunner runner(options);
  runner.spawn([&] {
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    for (int id = 0; id < 8; ++id) {
      runner.spawn([&, id] {
        const SimHandle stream = connect(runner.loop, localhost(80)).value();
        for (const std::string_view text : {"a message", "another one", "and the last one of them"}) {
          EXPECT_FALSE(stream.write_all(text));
          EXPECT_EQ(stream.read_exact(text.size()), text);
          trace << now_ns() << ' ' << id << ' ' << text << '\n';
        }
        EXPECT_TRUE(stream.close());
      });
    }
    for (int i = 0; i < 8; ++i) {
      const SimHandle accepted = listener.accept().value();
      trace << now_ns() << " accepted " << accepted.peer().to_string() << '\n';
      runner.spawn([accepted] { echo(accepted); });
    }
    EXPECT_TRUE(listener.close());
  });
  runner.run();
  return {trace.str(), runner.loop.fingerprint(), runner.loop.time_ns()};
}

TEST(SimSeed, TheSameSeedGivesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Episode first = run_echo(SimOptions::rough(seed));
    const Episode second = run_echo(SimOptions::rough(seed));
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.fingerprint, second.fingerprint) << "seed " << seed;
    EXPECT_EQ(first.end_ns, second.end_ns) << "seed " << seed;
  }
}

TEST(SimSeed, OtherSeedsGiveOtherRuns) {
  std::set<std::string> traces;
  std::set<std::uint64_t> fingerprints;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Episode run = run_echo(SimOptions::rough(seed));
    traces.insert(run.trace);
    fingerprints.insert(run.fingerprint);
  }
  EXPECT_EQ(traces.size(), 20u);
  EXPECT_EQ(fingerprints.size(), 20u);
}

TEST(SimSeed, TheOrderAloneIsWorthASeed) {
  std::set<std::string> traces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimOptions options;
    options.seed = seed;
    options.shuffle = true;
    traces.insert(run_echo(options).trace);
  }
  EXPECT_GT(traces.size(), 15u);
}

TEST(SimSeed, ASmoothWorldDoesNotDrawAnything) {
  SimOptions one, other;
  one.seed = 1;
  other.seed = 2;
  const Episode run = run_echo(one);
  EXPECT_EQ(run.trace, run_echo(other).trace);
  EXPECT_EQ(run.end_ns, one.start_ns) << "without latency nothing takes time";
}

TEST(SimSeed, ShortCountsMoveLessThanTheyCould) {
  SimOptions options;
  options.short_counts_percent = 100;
  SimRunner runner(options);
  runner.spawn([&] {
    test::SimPair pair(runner.loop);
    const std::string data(1000, 'x');
    int shortened = 0;
    for (int i = 0; i < 32; ++i) {
      const std::size_t size = pair.client.write(data).value();
      EXPECT_GE(size, 1u);
      shortened += size < data.size() ? 1 : 0;
    }
    EXPECT_GT(shortened, 24);
  });
  runner.run();
}

TEST(SimSeed, AThousandConnectionsPlayPingPong) {
  constexpr int kConnections = 1000;
  constexpr int kRounds = 10;
  SimOptions options = SimOptions::rough(42);
  SimRunner runner(options);
  int rounds = 0;
  runner.spawn([&] {
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    for (int i = 0; i < kConnections; ++i) {
      runner.spawn([&] {
        const SimHandle stream = connect(runner.loop, localhost(80)).value();
        for (int round = 0; round < kRounds; ++round) {
          EXPECT_FALSE(stream.write_all("ping"));
          rounds += stream.read_exact(4) == "ping" ? 1 : 0;
        }
        EXPECT_TRUE(stream.close());
      });
    }
    for (int i = 0; i < kConnections; ++i) {
      runner.spawn([stream = listener.accept().value()] { echo(stream); });
    }
    EXPECT_TRUE(listener.close());
  });
  runner.run();
  EXPECT_EQ(rounds, kConnections * kRounds);
  EXPECT_EQ(runner.loop.counters().interrupts, 0u) << "nothing ever slept";
}

}  // namespace
}  // namespace weft
