// SPDX-License-Identifier: Apache-2.0
// Time limits, in virtual time.
#include "http_client.hpp"
#include "test_server.hpp"

#include "base/clock.hpp"

#include <weft/this_fiber.hpp>

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;

/// Seconds of virtual time since it was made.
class Stopwatch {
 public:
  double seconds() const { return static_cast<double>(now_ns() - start_ns_) / 1e9; }

 private:
  std::int64_t start_ns_ = now_ns();
};

void expect_408(Client& client) {
  const Reply reply = client.receive();
  EXPECT_EQ(reply.status, 408);
  EXPECT_TRUE(reply.closes());
  EXPECT_TRUE(client.at_end());
}

TEST(Timeouts, AnIdleConnectionIsClosedWithoutAWord) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    const Stopwatch fresh;
    EXPECT_TRUE(client.at_end());
    EXPECT_NEAR(fresh.seconds(), 60, 0.1);
    Client used(server.address());
    EXPECT_EQ(used.get("/").status, 200);
    const Stopwatch idle;
    EXPECT_TRUE(used.at_end());
    EXPECT_NEAR(idle.seconds(), 60, 0.1);
  });
}

TEST(Timeouts, EmptyLinesAreNoRequestAndAreClosedWithoutAWord) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    client.send("\r\n");
    const Stopwatch watch;
    EXPECT_TRUE(client.at_end());
    EXPECT_NEAR(watch.seconds(), 20, 0.1);
  });
}

TEST(Timeouts, AHeadThatStopsIs408) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    ASSERT_TRUE(sleep(30s));  // idle first: that does not count
    const Stopwatch watch;
    client.send("GET / HTTP/1.1\r\n");
    expect_408(client);
    EXPECT_NEAR(watch.seconds(), 20, 0.1);
  });
}

TEST(Timeouts, AHeadThatTricklesIs408AfterTheSameTime) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    auto trickle = spawn([&] {
      client.send("GET / HTTP/1.1\r\n");
      for (char name = 'a'; sleep(1s) && client.stream().write_all(std::string(1, name) + ": b\r\n");
           ++name) {}
    });
    const Stopwatch watch;
    expect_408(client);
    EXPECT_NEAR(watch.seconds(), 20, 0.1);
    trickle.cancel();
    trickle.join_uncancellable();
  });
}

TEST(Timeouts, ASecondHeadThatCameInPartWithTheFirstIs408) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT");
    EXPECT_EQ(client.receive().status, 200);
    const Stopwatch watch;
    expect_408(client);
    EXPECT_NEAR(watch.seconds(), 20, 0.1);
  });
}

TEST(Timeouts, ABodyThatStopsIs408) {
  run_simulated({}, [] {
    TestServer server;
    for (const std::string body :
         {"Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
      Client client(server.address());
      client.send("POST /size HTTP/1.1\r\nHost: a\r\n" + body);
      const Stopwatch watch;
      expect_408(client);
      EXPECT_NEAR(watch.seconds(), 20, 0.1);
    }
  });
}

/// Sends `piece` each second until nobody takes it.
auto trickle(Client& client, const std::string& piece) {
  return spawn([&client, piece] {
    while (sleep(1s) && client.stream().write_all(piece)) {}
  });
}

TEST(Timeouts, ABodyThatComesSlowerThanTheLeastRateIs408) {
  run_simulated({}, [] {
    TestServer server;
    for (const std::string path : {"/size", "/echo"}) {
      Client client(server.address());
      client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
      const Stopwatch watch;
      auto sending = trickle(client, std::string(250, 'x'));
      if (path == "/size") {
        EXPECT_EQ(client.receive().status, 408);
      } else {
        EXPECT_FALSE(client.receive().whole);
      }
      EXPECT_NEAR(watch.seconds(), 40, 2);  // 20, and those that 250 bytes a second of 500 take
      sending.cancel();
      sending.join_uncancellable();
    }
  });
}

TEST(Timeouts, ABodyThatComesFastEnoughMayTakeItsTotalTime) {
  run_simulated({}, [] {
    for (const std::chrono::seconds total : {600s, 100s}) {
      TestServer server({}, {.body_total_timeout = total});
      Client client(server.address());
      client.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
      const Stopwatch watch;
      auto sending = trickle(client, std::string(600, 'x'));
      EXPECT_EQ(client.receive().status, total == 600s ? 200 : 408);
      EXPECT_NEAR(watch.seconds(), total == 600s ? 500 : 100, 2);
      sending.cancel();
      sending.join_uncancellable();
    }
  });
}

TEST(Timeouts, TheTimeOfAHandlerBetweenTwoReadsIsNotTheClients) {
  run_simulated({}, [] {
    Server server;
    server.post("/", [](const Request& request, Response& response) {
      std::array<std::byte, 10> part;
      std::size_t size = 0;
      while (auto n = request.read_some(part)) {
        size += *n;
        EXPECT_TRUE(sleep(1h));
      }
      response.text(std::to_string(size));
    });
    Client client(server.start("127.0.0.1:0").value());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'));
    EXPECT_EQ(client.receive().body, "100");
  });
}

TEST(Timeouts, AnUnreadBodyThatTricklesIsNotWaitedForLongerThanABody) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(client.receive().body, "ignored");
    const Stopwatch watch;
    auto trickle = spawn([&] {
      while (sleep(1s) && client.stream().write_all("x")) {}
    });
    EXPECT_TRUE(client.at_end());
    EXPECT_NEAR(watch.seconds(), 20, 0.1);
    trickle.cancel();
    trickle.join_uncancellable();
  });
}

TEST(Timeouts, AClientThatTakesNothingIsClosed) {
  run_simulated({}, [] {
    TestServer server;
    for (const std::string path : {"/bytes/1000000", "/stream/1000000"}) {
      Client client(server.address());
      client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
      ASSERT_TRUE(sleep(19s));
      EXPECT_EQ(server.server().counters().open_connections, 1u);
      ASSERT_TRUE(sleep(22s));  // what fitted the socket's buffer counted as taken, once
      EXPECT_EQ(server.server().counters().open_connections, 0u);
      EXPECT_FALSE(client.receive().whole);
    }
  });
}

TEST(Timeouts, AClientThatTakesALittleNowAndThenGetsItAll) {
  run_simulated({}, [] {
    TestServer server;
    for (const std::string path : {"/bytes/", "/stream/"}) {
      constexpr std::size_t kSize = 1'000'000;
      Client client(server.address());
      client.send("GET " + path + std::to_string(kSize) +
                  " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      std::vector<std::byte> part(50'000);
      std::size_t got = 0;
      const Stopwatch watch;
      while (const Result<std::size_t> n = client.stream().read_some(part)) {
        got += *n;
        ASSERT_TRUE(sleep(15s));
      }
      EXPECT_GT(got, kSize);
      EXPECT_GT(watch.seconds(), 200);
    }
  });
}

TEST(Timeouts, AClientThatWasRefusedAndDoesNotLeaveIsLeftAfterTwoSeconds) {
  run_simulated({}, [] {
    TestServer server;
    Client client(server.address());
    client.send("nonsense\r\n\r\n");
    EXPECT_EQ(client.receive().closes(), true);
    EXPECT_EQ(server.server().counters().open_connections, 1u);
    ASSERT_TRUE(sleep(2100ms));
    EXPECT_EQ(server.server().counters().open_connections, 0u);
  });
}

TEST(Timeouts, LimitsTooLargeToCountAreForever) {
  run_simulated({}, [] {
    constexpr auto kForever = std::chrono::milliseconds::max();
    TestServer server({}, {.head_timeout = kForever,
                           .body_timeout = kForever,
                           .write_timeout = kForever,
                           .idle_timeout = kForever});
    Client client(server.address());
    ASSERT_TRUE(sleep(24h));
    client.send("GET / HTT");
    ASSERT_TRUE(sleep(24h));
    client.send("P/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
  });
}

}  // namespace
}  // namespace weft::http::test
