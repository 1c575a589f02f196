// SPDX-License-Identifier: Apache-2.0
// The end of a server, seen by its clients, its handlers and by whoever stops it.
#include "raw_client.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::body_of;
using stranger::get;
using stranger::has_line;
using stranger::RawClient;
using stranger::status_of;
using weft::Deadline;
using weft::http::Request;
using weft::http::Response;

void greet(const Request&, Response& response) { response.text("Hello world!"); }

/// A client of plain system calls: the kernel connects it, whether or not the server's thread ever runs.
class PlainClient {
 public:
  explicit PlainClient(const weft::net::SocketAddress& server) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;
  ~PlainClient() { ::close(fd_); }

  void send(const std::string& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// When the server has ended: all that it sent.
  std::string received() {
    std::string all;
    char part[1000];
    for (ssize_t n; (n = ::recv(fd_, part, sizeof(part), 0)) > 0;)
      all.append(part, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int fd_;
};

TEST(Drain, RequestsThatCrossTheStopAreAllAnswered) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          weft::http::Server server;
          server.get("/", greet);
          const auto address = server.start("127.0.0.1:0").value();
          std::vector<RawClient> clients;
          for (int i = 0; i < 64; ++i) clients.emplace_back(address);
          for (int i = 0; i < 20; ++i) clients[static_cast<std::size_t>(i)].send(get("/", "keep-alive"));
          server.stop();
          for (std::size_t i = 20; i < 64; ++i) clients[i].send(get("/", "keep-alive"));
          int answers = 0;
          for (RawClient& client : clients)
            answers += body_of(client.read_to_end()) == "Hello world!" ? 1 : 0;
          EXPECT_EQ(answers, 64);
          EXPECT_TRUE(server.wait());
          EXPECT_EQ(server.counters().connections, 64u);
        },
        threads);
  }
}

TEST(Drain, ConnectionsInTheKernelsQueueAreServed) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", greet);
    const auto address = server.start("127.0.0.1:0").value();
    std::vector<std::unique_ptr<PlainClient>> clients;
    for (int i = 0; i < 64; ++i) clients.push_back(std::make_unique<PlainClient>(address));
    server.stop();  // this thread accepts them, and has not had the time
    EXPECT_EQ(server.counters().connections, 0u);
    for (auto& client : clients) client->send(get("/", "keep-alive"));
    EXPECT_TRUE(server.wait());
    for (auto& client : clients) {
      const std::string reply = client->received();
      EXPECT_EQ(body_of(reply), "Hello world!");
      EXPECT_TRUE(has_line(reply, "Connection: close")) << reply;
    }
    EXPECT_FALSE(weft::net::TcpStream::connect(address));
  });
}

TEST(Drain, AtItsDeadlineTheQueueIsGivenUp) {
  stranger::in_fiber([] {
    weft::http::Server server;
    const auto address = server.start("127.0.0.1:0").value();
    PlainClient client(address);
    server.stop(Deadline::at_ns(0));
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(client.received(), "");
    EXPECT_EQ(server.counters().open_connections, 0u);
  });
}

TEST(Drain, ANewConnectionThatSendsNothingIsWaitedForAWhile) {
  for (const std::chrono::milliseconds grace : {-1ms, 0ms, 1ms, 30ms}) {
    stranger::in_fiber([&] {
      weft::http::Server server({.first_request_grace = grace});
      server.get("/", greet);
      const auto address = server.start("127.0.0.1:0").value();
      RawClient silent(address);
      server.stop(Deadline::never());
      EXPECT_TRUE(server.wait()) << "not for ever";
      EXPECT_EQ(silent.read_to_end(), "");
    });
  }
}

TEST(Drain, ANewConnectionIsIdleAfterItsGraceAndStillServed) {
  stranger::in_fiber([] {
    weft::http::Server server({.first_request_grace = 1ms});
    server.get("/", greet);
    RawClient client(server.start("127.0.0.1:0").value());
    EXPECT_TRUE(weft::sleep(20ms));
    EXPECT_EQ(body_of(client.send(get("/")).read_to_end()), "Hello world!");
  });
}

TEST(Drain, WithAnIdleGraceTheNextRequestIsServedAndIsTheLast) {
  stranger::in_fiber([] {
    weft::http::Server server({.idle_grace = 30s});
    server.get("/", greet);
    const auto address = server.start("127.0.0.1:0").value();
    RawClient client(address);
    std::array<std::byte, 1000> first;
    EXPECT_TRUE(client.send(get("/", "keep-alive")).stream().read_some(first));
    server.stop(Deadline::never());
    const std::string reply = client.send(get("/", "keep-alive") + get("/", "keep-alive")).read_to_end();
    EXPECT_EQ(body_of(reply), "Hello world!") << "one answer";
    EXPECT_TRUE(has_line(reply, "Connection: close")) << reply;
    EXPECT_TRUE(server.wait());
  });
}

TEST(Drain, AfterTheIdleGraceConnectionsAreClosed) {
  stranger::in_fiber([] {
    weft::http::Server server({.idle_grace = 20ms});
    server.get("/", greet);
    const auto address = server.start("127.0.0.1:0").value();
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back(address).send(get("/", "keep-alive"));
      std::array<std::byte, 1000> first;
      EXPECT_TRUE(clients.back().stream().read_some(first));
    }
    server.stop(Deadline::never());
    EXPECT_TRUE(server.wait());
    for (RawClient& client : clients) EXPECT_EQ(client.read_to_end(), "");
  });
}

TEST(Drain, AGraceBeforeAllTimeIsNone) {
  stranger::in_fiber([] {
    constexpr auto kBefore = std::chrono::milliseconds::min();
    weft::http::Server server({.first_request_grace = kBefore, .idle_grace = kBefore});
    server.get("/", greet);
    const auto address = server.start("127.0.0.1:0").value();
    EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "Hello world!");
    RawClient silent(address);
    server.stop(Deadline::never());
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(silent.read_to_end(), "");
  });
}

TEST(Drain, AnEarlierDeadlineEndsTheIdleGrace) {
  stranger::in_fiber([] {
    weft::http::Server server({.idle_grace = std::chrono::milliseconds::max()});
    server.get("/", greet);
    RawClient client(server.start("127.0.0.1:0").value());
    std::array<std::byte, 1000> first;
    EXPECT_TRUE(client.send(get("/", "keep-alive")).stream().read_some(first));
    server.stop(Deadline::never());
    auto waiting = weft::spawn([&] { return server.wait(); });
    weft::yield();
    server.stop(Deadline::at_ns(0));
    EXPECT_TRUE(waiting.join());
    EXPECT_EQ(client.read_to_end(), "");
  });
}

// -- handlers

TEST(Drain, HandlersSeeIt) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [&](const Request& request, Response& response) {
      std::string seen = request.draining() ? "draining" : "serving";
      server.stop();
      seen += request.draining() ? ", draining" : ", serving";
      seen += request.drain_token().cancelled() ? ", asked to stop" : ", not asked";
      response.text(seen);
    });
    RawClient client(server.start("127.0.0.1:0").value());
    EXPECT_EQ(body_of(client.send(get("/", "keep-alive")).read_to_end()), "serving, draining, asked to stop");
    EXPECT_TRUE(server.wait());
  });
}

TEST(Drain, AnEventStreamEndsAtOnceAndWhole) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/events", [](const Request& request, Response& response) {
      while (response.write("data: tick\n\n")) {
        const weft::CancelScope until_drained(request.drain_token());
        if (!weft::sleep(1h)) break;
      }
      EXPECT_TRUE(response.write("data: bye\n\n")) << "the response can still be ended";
    });
    std::vector<RawClient> clients;
    const auto address = server.start("127.0.0.1:0").value();
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back(address).send(get("/events"));
      std::array<std::byte, 8> first;
      EXPECT_TRUE(clients.back().stream().read_exact(first));
    }
    server.stop(Deadline::never());
    for (RawClient& client : clients) {
      const std::string rest = client.read_to_end();
      EXPECT_TRUE(rest.ends_with("data: bye\n\n\r\n0\r\n\r\n")) << rest;
    }
    EXPECT_TRUE(server.wait());
  });
}

TEST(Drain, ItsTokenOutlivesTheRequestAndTheServer) {
  stranger::in_fiber([] {
    weft::CancelToken token;
    {
      weft::http::Server server;
      server.get("/", [&](const Request& request, Response&) { token = request.drain_token(); });
      const auto address = server.start("127.0.0.1:0").value();
      EXPECT_EQ(status_of(stranger::reply_to(address, get("/"))), 200);
      EXPECT_FALSE(token.cancelled());
      EXPECT_TRUE(token.can_be_cancelled());
    }
    EXPECT_TRUE(token.cancelled()) << "its end is a stop";
  });
}

// -- who stops it

TEST(Drain, StopWaitsForNoHandlerThatComputes) {
  stranger::in_fiber([] {
    weft::http::Server server;
    std::atomic<bool> entered = false;
    std::atomic<bool> stopped = false;
    server.get("/", [&](const Request&, Response& response) {
      entered = true;
      while (!stopped)
        std::this_thread::yield();  // the only thread: no other fiber runs until stop() has returned
      response.text("done");
    });
    const auto address = server.start("127.0.0.1:0").value();
    std::thread stopper([&] {
      while (!entered) std::this_thread::yield();
      server.stop();
      stopped = true;
    });
    EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "done");
    stopper.join();
    EXPECT_TRUE(server.wait());
  });
}

TEST(Drain, AHandlerMayJoinTheThreadThatStops) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [&](const Request&, Response& response) {
      std::thread([&] { server.stop(); }).join();
      response.text("stopped");
    });
    const auto address = server.start("127.0.0.1:0").value();
    EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "stopped");
    EXPECT_TRUE(server.wait());
  });
}

/// Each has had its answer, and keeps its connection.
std::vector<RawClient> idle_clients(const weft::net::SocketAddress& address, std::size_t count) {
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back(address).send(get("/", "keep-alive"));
    std::array<std::byte, 1000> reply;
    EXPECT_TRUE(clients.back().stream().read_some(reply));
  }
  return clients;
}

TEST(Drain, ManyIdleConnectionsAreAllLetGo) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  // Two descriptors each. Fewer are more than one portion of them, too.
  const std::size_t count = std::min<std::size_t>(1300, files.rlim_cur / 3);
  stranger::in_fiber([count] {
    weft::http::Server server;
    server.get("/", greet);
    std::vector<RawClient> clients = idle_clients(server.start("127.0.0.1:0").value(), count);
    std::thread([&] { server.stop(Deadline::never()); }).join();
    EXPECT_TRUE(server.wait());
    for (RawClient& client : clients) EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.counters().open_connections, 0u);
  });
}

TEST(Drain, AServerMayBeDestroyedWhenWaitReturnsWhoeverStoppedIt) {
  for (int round = 0; round < 50; ++round) {
    stranger::in_fiber([] {
      auto server = std::make_unique<weft::http::Server>();
      server->get("/", greet);
      const auto address = server->start("127.0.0.1:0").value();
      RawClient idle(address);
      std::array<std::byte, 1000> reply;
      EXPECT_TRUE(idle.send(get("/", "keep-alive")).stream().read_some(reply));
      std::thread stopper([&server = *server] { server.stop(Deadline::never()); });
      EXPECT_TRUE(server->wait());
      server.reset();
      stopper.join();
      EXPECT_EQ(idle.read_to_end(), "");
    });
  }
}

TEST(Drain, AStartThatCrossesTheStopServesOrFails) {
  for (int round = 0; round < 50; ++round) {
    stranger::in_fiber([] {
      weft::http::Server server;
      server.get("/", greet);
      std::atomic<bool> starts = false;
      std::thread stopper([&] {
        while (!starts) std::this_thread::yield();
        server.stop(Deadline::never());
      });
      starts = true;
      for (;;) {
        const auto address = server.start("127.0.0.1:0");
        if (!address) {
          EXPECT_EQ(address.error(), weft::Errc::closed);
          break;
        }
        PlainClient client(*address);
        client.send(get("/", "keep-alive"));  // served by the drain at the latest
      }
      stopper.join();
      EXPECT_TRUE(server.wait());
      EXPECT_EQ(server.counters().open_connections, 0u);
    });
  }
}

TEST(Drain, SeveralMayStopAtTheSameTime) {
  for (int round = 0; round < 10; ++round) {
    stranger::in_fiber(
        [] {
          weft::http::Server server;
          server.get("/", greet);
          std::vector<RawClient> clients = idle_clients(server.start("127.0.0.1:0").value(), 20);
          auto waiting = weft::spawn([&] { return server.wait(); });
          std::vector<std::thread> threads;
          for (int i = 0; i < 4; ++i) threads.emplace_back([&] { server.stop(Deadline::never()); });
          for (std::thread& thread : threads) thread.join();
          EXPECT_TRUE(waiting.join());
          for (RawClient& client : clients) EXPECT_EQ(client.read_to_end(), "");
        },
        2);
  }
}

}  // namespace
