// SPDX-License-Identifier: Apache-2.0
// Connecting by name in a simulated world: which address is tried when, to the nanosecond of virtual time.
#include <weft/cancel_scope.hpp>
#include <weft/net/connect.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "support/sim_context.hpp"

#include <string>
#include <vector>

namespace weft {
namespace happy_eyeballs {
namespace {

using namespace std::chrono_literals;
using net::ConnectAttempt;
using net::NameErrc;
using net::TcpListener;
using net::TcpStream;

constexpr std::int64_t kMs = 1'000'000;

/// "2001:db8::1 at 0: none".
std::vector<std::string> told(const std::vector<ConnectAttempt>& attempts) {
  std::vector<std::string> lines;
  for (const ConnectAttempt& each : attempts)
    lines.push_back(each.address.ip().to_string() + " at " +
                    std::to_string(each.started_after.count() / kMs) + ": " +
                    (each.error ? each.error.message() : "connected"));
  return lines;
}
using Lines = std::vector<std::string>;

SimOptions world_of(NetworkName name, std::vector<std::string> black_holes = {}) {
  SimOptions options;
  options.latency_min_ns = options.latency_max_ns = 5 * kMs;  // 10 ms until a connection or a refusal
  options.names["server.test"] = std::move(name);
  options.black_holes = std::move(black_holes);
  return options;
}

struct Outcome {
  std::vector<ConnectAttempt> attempts;
  Result<TcpStream> stream = Errc::closed;
  std::int64_t took_ms = 0;
};

/// Connects to server.test:80 in the world; listeners are at `addresses`.
template <class Check>
void connecting(SimOptions options, const std::vector<std::string>& addresses, Deadline deadline,
                Check check) {
  test::SimContext world("world", std::move(options));
  world
      .spawn([&] {
        std::vector<TcpListener> listeners;
        for (const std::string& each : addresses) listeners.push_back(TcpListener::bind(each).value());
        const std::int64_t begin = now_ns();
        Outcome run;
        run.stream = net::connect(
            "server.test:80", deadline.is_never() ? deadline : Deadline::at_ns(begin + deadline.time_ns()),
            {.attempts = &run.attempts});
        run.took_ms = (now_ns() - begin) / kMs;
        check(run);
      })
      .join_uncancellable();
}

const NetworkName kTwoEach{.v6 = {.addresses = {"2001:db8::1", "2001:db8::2"}},
                           .v4 = {.addresses = {"192.0.2.1", "192.0.2.2"}}};

TEST(HappyEyeballs, TheFirstAddressThatAnswersWins) {
  connecting(world_of(kTwoEach), {"[2001:db8::1]:80", "192.0.2.1:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts), Lines{"2001:db8::1 at 0: connected"});
    EXPECT_EQ(run.stream.value().peer_address().value().to_string(), "[2001:db8::1]:80");
    EXPECT_EQ(run.took_ms, 10);
  });
}

TEST(HappyEyeballs, SilentAddressesAreTriedInTurnsOfFamilies) {
  connecting(world_of(kTwoEach, {"[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80"}), {"192.0.2.2:80"},
             {}, [](const Outcome& run) {
               EXPECT_EQ(told(run.attempts),
                         (Lines{"2001:db8::1 at 0: cancelled", "192.0.2.1 at 250: cancelled",
                                "2001:db8::2 at 500: cancelled", "192.0.2.2 at 750: connected"}));
               EXPECT_EQ(run.took_ms, 760);
             });
}

TEST(HappyEyeballs, ARefusalStartsTheNextAttemptAtOnce) {
  connecting(world_of(kTwoEach), {"[2001:db8::2]:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts),
              (Lines{"2001:db8::1 at 0: Connection refused", "192.0.2.1 at 10: Connection refused",
                     "2001:db8::2 at 20: connected"}));
    EXPECT_EQ(run.took_ms, 30);
  });
}

TEST(HappyEyeballs, AnEarlierAttemptThatAnswersLateStillWins) {
  SimOptions options = world_of(kTwoEach, {"192.0.2.1:80"});
  options.latency_min_ns = options.latency_max_ns = 200 * kMs;  // 400 ms until a connection
  connecting(std::move(options), {"[2001:db8::1]:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts), (Lines{"2001:db8::1 at 0: connected", "192.0.2.1 at 250: cancelled"}));
    EXPECT_EQ(run.took_ms, 400);
  });
}

TEST(HappyEyeballs, Ipv4WaitsAWhileForTheAnswerAboutIpv6) {
  NetworkName name = kTwoEach;
  name.v6.delay_ns = 30 * kMs;
  connecting(world_of(name), {"[2001:db8::1]:80", "192.0.2.1:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts), Lines{"2001:db8::1 at 30: connected"});
  });
}

TEST(HappyEyeballs, Ipv4StartsAfterTheResolutionDelayAndIpv6JoinsLater) {
  NetworkName name = kTwoEach;
  name.v6.delay_ns = 100 * kMs;
  connecting(world_of(name, {"192.0.2.1:80"}), {"[2001:db8::1]:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts), (Lines{"192.0.2.1 at 50: cancelled", "2001:db8::1 at 300: connected"}));
  });
}

TEST(HappyEyeballs, Ipv4DoesNotWaitWhenThereIsNoIpv6) {
  NetworkName name = kTwoEach;
  name.v6 = {.delay_ns = 20 * kMs};
  connecting(world_of(name), {"192.0.2.1:80"}, {},
             [](const Outcome& run) { EXPECT_EQ(told(run.attempts), Lines{"192.0.2.1 at 20: connected"}); });
}

TEST(HappyEyeballs, AnAnswerAboutIpv6ThatNeverComesDisturbsNothing) {
  NetworkName name = kTwoEach;
  name.v6.delay_ns = 3600'000 * kMs;
  connecting(world_of(name), {"192.0.2.1:80"}, {}, [](const Outcome& run) {
    EXPECT_EQ(told(run.attempts), Lines{"192.0.2.1 at 50: connected"});
    EXPECT_EQ(run.took_ms, 60);
  });
}

TEST(HappyEyeballs, TheErrorIsThatOfTheAttemptThatCameFarthest) {
  connecting(world_of(kTwoEach, {"[2001:db8::1]:80"}), {}, {}, [](const Outcome& run) {
    EXPECT_EQ(run.stream.error(), std::errc::connection_refused);
    EXPECT_EQ(told(run.attempts),
              (Lines{"2001:db8::1 at 0: Connection timed out", "192.0.2.1 at 250: Connection refused",
                     "2001:db8::2 at 260: Connection refused", "192.0.2.2 at 270: Connection refused"}));
    EXPECT_EQ(run.took_ms, 127'000 + 5);
  });
}

TEST(HappyEyeballs, TheDeadlineEndsEveryAttemptAndNamesThem) {
  connecting(world_of({.v6 = {.addresses = {"2001:db8::1"}}, .v4 = {.addresses = {"192.0.2.1"}}},
                      {"[2001:db8::1]:80"}),
             {}, Deadline::at_ns(1000 * kMs), [](const Outcome& run) {
               EXPECT_EQ(run.took_ms, 1000);
               EXPECT_EQ(run.stream.message(),
                         "connecting to server.test:80 (2001:db8::1: no answer yet, 192.0.2.1: Connection "
                         "refused): deadline passed");
             });
}

TEST(HappyEyeballs, TheDeadlineIncludesResolving) {
  connecting(world_of({.v6 = {.delay_ns = 5000 * kMs}, .v4 = {.delay_ns = 5000 * kMs}}), {},
             Deadline::at_ns(100 * kMs), [](const Outcome& run) {
               EXPECT_EQ(run.stream.message(), "connecting to server.test:80: deadline passed");
               EXPECT_EQ(run.took_ms, 100);
             });
}

TEST(HappyEyeballs, TheReasonWhyANameHasNoAddressIsTheStrongerOne) {
  connecting(world_of({.v4 = {.error = NameErrc::server_failure}}), {}, {}, [](const Outcome& run) {
    EXPECT_EQ(run.stream.error(), NameErrc::server_failure);
    EXPECT_TRUE(run.attempts.empty());
  });
  connecting(world_of({}), {}, {},
             [](const Outcome& run) { EXPECT_EQ(run.stream.error(), NameErrc::no_address); });
  connecting(SimOptions{}, {}, {},
             [](const Outcome& run) { EXPECT_EQ(run.stream.error(), NameErrc::not_found); });
}

/// Cancelled at each moment: it ends, and no socket is left in the world.
TEST(HappyEyeballs, CancelledAtEachMomentNothingIsLeft) {
  NetworkName name = kTwoEach;
  name.v6.delay_ns = 3 * kMs;
  name.v4.delay_ns = 1 * kMs;
  for (std::int64_t moment = 0; moment < 800; moment += 7) {
    SimOptions options = world_of(name, {"[2001:db8::1]:80", "192.0.2.1:80"});
    options.descriptors_max = 5;
    test::SimContext world("world", std::move(options));
    world
        .spawn([&] {
          TcpListener listener = TcpListener::bind("[2001:db8::2]:80").value();
          auto connecting = spawn([] { return net::connect("server.test:80"); });
          static_cast<void>(sleep(std::chrono::milliseconds(moment)));
          connecting.cancel();
          const Result<TcpStream> stream = connecting.join();
          EXPECT_TRUE(stream || stream.error() == Errc::cancelled) << stream.message();
          // All other descriptors of the world can be opened again.
          std::vector<TcpListener> rest;
          for (int i = stream ? 2 : 1; i < 5; ++i) {
            Result<TcpListener> each = TcpListener::bind("127.0.0.1:0");
            EXPECT_TRUE(each || stream) << each.message();  // what the listener has not accepted may be open
            if (each) rest.push_back(std::move(*each));
          }
        })
        .join_uncancellable();
  }
}

}  // namespace
}  // namespace happy_eyeballs
}  // namespace weft
