// SPDX-License-Identifier: Apache-2.0
// Connections that stay, and those that end; requests one behind the other.
#include "http_client.hpp"
#include "test_server.hpp"

#include <weft/this_fiber.hpp>

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class Connections : public HttpTest {};
WEFT_HTTP_WORLDS(Connections);

TEST_P(Connections, AConnectionServesManyRequests) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    for (int i = 0; i < 300; ++i) ASSERT_EQ(client.get("/").body, "Hello world!");
    EXPECT_EQ(server.server().counters().connections, 1u);
  });
}

TEST_P(Connections, ManyConnectionsAreServedAtATime) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    std::vector<JoinHandle<void>> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(spawn([&] {
        Client client(server.address());
        for (int j = 0; j < 20; ++j) EXPECT_EQ(client.get("/bytes/3000").body.size(), 3000u);
      }));
    }
    for (auto& client : clients) client.join_uncancellable();
    EXPECT_EQ(server.server().counters().connections, 40u);
  });
}

TEST_P(Connections, AThousandRequestsInOneGoAreAnsweredInOrder) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    std::string requests;
    for (int i = 0; i < 1000; ++i)
      requests += "GET /users/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    auto writer = spawn([&] { client.send(requests); });
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.receive().body, std::to_string(i));
    writer.join_uncancellable();
  });
}

TEST_P(Connections, CloseIsHonouredAndPromised) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const Reply reply = client.receive();
    EXPECT_TRUE(reply.closes());
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Connections, AHandlerMayCloseAndAPipelinedRequestIsNotServed) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("GET /close HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet) + std::string(100'000, 'x'));
    const Reply reply = client.receive();
    EXPECT_EQ(reply.body, "bye");
    EXPECT_TRUE(reply.closes());
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Connections, Http10EndsUnlessItAsksToStay) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Reply kept = client.receive();
    EXPECT_TRUE(kept.has("Connection: keep-alive\r\n")) << kept.head;
    client.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(client.receive().closes());
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Connections, AStreamForHttp10EndsWithTheConnection) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("GET /stream/50000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Reply reply = client.receive();
    EXPECT_TRUE(reply.closes());
    EXPECT_FALSE(reply.has("Transfer-Encoding"));
    EXPECT_EQ(reply.body, TestServer::bytes(50'000));
  });
}

TEST_P(Connections, AClientThatHasFinishedSendingIsAnswered) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send(kGet);
    client.finish_sending();
    EXPECT_EQ(client.receive().body, "Hello world!");
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Connections, AnEmptyLineBeforeARequestIsSkipped) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("\r\n" + std::string(kGet) + "\r\n" + std::string(kGet));
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(client.receive().status, 200);
  });
}

// In virtual time each part arrives alone.
TEST(PartialRequests, AStreamOfRequestsCutAnywhereIsServedTheSame) {
  const std::string requests =
      std::string(kGet) + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n" +
      "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz" + std::string(kGet);
  run_simulated({}, [&] {
    TestServer server;
    for (std::size_t cut = 1; cut < requests.size(); ++cut) {
      Client client(server.address());
      client.send(std::string_view(requests).substr(0, cut));
      ASSERT_TRUE(sleep(1ms));
      client.send(std::string_view(requests).substr(cut));
      for (const std::string_view body : {"Hello world!", "hello", "abcde", "ignored", "Hello world!"}) {
        ASSERT_EQ(client.receive().body, body) << "cut at " << cut;
      }
    }
  });
}

TEST(PartialRequests, ARequestMayComeByteByByte) {
  run_simulated({}, [&] {
    TestServer server;
    Client client(server.address());
    for (const char byte :
         std::string(kGet) + "POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789") {
      client.send({&byte, 1});
      ASSERT_TRUE(sleep(1ms));
    }
    EXPECT_EQ(client.receive().body, "Hello world!");
    EXPECT_EQ(client.receive().body, "9");
  });
}

}  // namespace
}  // namespace weft::http::test
