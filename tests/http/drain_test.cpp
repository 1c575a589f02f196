// SPDX-License-Identifier: Apache-2.0
// The end of a server: docs/design/http-server.md.
#include "http_client.hpp"
#include "test_server.hpp"

#include "base/atomic.hpp"

#include <weft/this_fiber.hpp>

#include <memory>
#include <optional>

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;

/// Sends the first half of a request; when it returns its handler runs, as only a handler that reads sends
/// 100.
void begin_request(Client& client) {
  client.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
}

class Drain : public HttpTest {};
WEFT_HTTP_WORLDS(Drain);

TEST_P(Drain, IdleConnectionsAreClosedAtOnce) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<Client>(server.address()));
      EXPECT_EQ(clients.back()->get("/").status, 200);
    }
    server.server().stop(Deadline::never());
    EXPECT_TRUE(server.server().wait());
    for (auto& client : clients) EXPECT_TRUE(client->at_end());
    EXPECT_EQ(server.server().counters().open_connections, 0u);
  });
}

TEST_P(Drain, AnActiveConnectionEndsWithItsResponse) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    begin_request(client);
    server.server().stop(Deadline::never());
    client.send("body");
    const Reply reply = client.receive();
    EXPECT_EQ(reply.body, "4");
    EXPECT_TRUE(reply.closes());
    EXPECT_TRUE(client.at_end());
    EXPECT_TRUE(server.server().wait());
  });
}

TEST_P(Drain, NoConnectionIsAcceptedAfterIt) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    server.server().stop();
    EXPECT_TRUE(server.server().wait());
    EXPECT_EQ(net::TcpStream::connect(server.address()).error(), std::errc::connection_refused);
  });
}

TEST_P(Drain, ConnectionsThatAreStillThereAtTheDeadlineAreCancelled) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 5; ++i)
      begin_request(*clients.emplace_back(std::make_unique<Client>(server.address())));
    server.server().stop(Deadline::after(20ms));
    EXPECT_TRUE(server.server().wait());
    for (auto& client : clients) EXPECT_EQ(client->receive().status, 0);
  });
}

TEST_P(Drain, ASecondStopMayBringTheDeadlineForward) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client first(server.address());
    Client second(server.address());
    begin_request(first);
    begin_request(second);
    server.server().stop(Deadline::never());
    auto waiting = spawn([&] { return server.server().wait(); });
    yield();
    server.server().stop(Deadline::at_ns(0));
    EXPECT_TRUE(waiting.join_uncancellable());
    EXPECT_EQ(first.receive().status, 0);
  });
}

TEST_P(Drain, ACancelledWaitStopsAtOnce) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    begin_request(client);
    auto waiting = spawn([&] { return server.server().wait(); });
    yield();
    waiting.cancel();
    EXPECT_EQ(waiting.join_uncancellable().error(), Errc::cancelled);
    EXPECT_EQ(client.receive().status, 0);
  });
}

TEST_P(Drain, ACancelledWaitWithAGraceDrains) {
  run([](const Contexts& contexts) {
    TestServer server(contexts, {.cancel_grace = 1h});
    Client client(server.address());
    begin_request(client);
    auto waiting = spawn([&] { return server.server().wait(); });
    yield();
    waiting.cancel();
    while (server.server().start("127.0.0.1:0").error() != Errc::closed) yield();  // the drain has begun
    client.send("body");
    const Reply reply = client.receive();
    EXPECT_EQ(reply.body, "4");
    EXPECT_TRUE(reply.closes());
    EXPECT_EQ(waiting.join_uncancellable().error(), Errc::cancelled);
    EXPECT_EQ(server.server().counters().open_connections, 0u);
  });
}

TEST_P(Drain, TheGraceOfACancelledWaitEnds) {
  run([](const Contexts& contexts) {
    TestServer server(contexts, {.cancel_grace = 20ms});
    Client client(server.address());
    begin_request(client);
    auto waiting = spawn([&] { return server.server().wait(); });
    yield();
    waiting.cancel();
    EXPECT_EQ(waiting.join_uncancellable().error(), Errc::cancelled);
    EXPECT_EQ(client.receive().status, 0);
  });
}

TEST_P(Drain, DestructionEndsEverything) {
  run([](const Contexts& contexts) {
    std::optional<TestServer> server(std::in_place, contexts);
    Client active(server->address());
    Client idle(server->address());
    begin_request(active);
    EXPECT_EQ(idle.get("/").status, 200);
    server.reset();
    EXPECT_EQ(active.receive().status, 0);
    EXPECT_TRUE(idle.at_end());
  });
}

TEST_P(Drain, AServerThatNeverStartedMayStop) {
  run([](const Contexts&) {
    Server server;
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

// Requests race with stop(): each is answered, or its connection ends before a byte of an answer; never in
// between.
TEST_P(Drain, UnderLoadNoAnswerIsCutOff) {
  run([](const Contexts& contexts) {
    for (int round = 0; round < 10; ++round) {
      TestServer server(contexts);
      int answered = 0;
      Atomic<int> total{0};
      std::vector<JoinHandle<int>> clients;
      for (int i = 0; i < 8; ++i) {
        // Connected before the drain: a client that comes too late would be refused.
        clients.push_back(spawn([client = std::make_unique<Client>(server.address()), &total] {
          for (int answers = 0;; ++answers) {
            if (!client->stream().write_all("GET /bytes/9000 HTTP/1.1\r\nHost: a\r\n\r\n")) return answers;
            const Reply reply = client->receive();
            if (reply.status == 0) return answers;
            EXPECT_TRUE(reply.whole);
            total.fetch_add(1, relaxed);
            if (reply.closes()) return answers + 1;
          }
        }));
      }
      while (total.load(relaxed) < 50) yield();
      server.server().stop(Deadline::never());
      EXPECT_TRUE(server.server().wait());
      for (auto& client : clients) answered += client.join_uncancellable();
      EXPECT_GT(answered, 0);
    }
  });
}

TEST_P(Drain, AddressesAreFreeAfterwards) {
  run([](const Contexts& contexts) {
    Server first;
    const net::SocketAddress address = first.start("127.0.0.1:0", {.contexts = contexts}).value();
    first.stop();
    EXPECT_TRUE(first.wait());
    Server second;
    EXPECT_TRUE(second.start(address.to_string(), {.contexts = contexts}));
    EXPECT_EQ(Server().start("nowhere").error(), Errc::invalid_address);
  });
}

}  // namespace
}  // namespace weft::http::test
