// SPDX-License-Identifier: Apache-2.0
// Bodies in both directions, of sizes around every buffer's end, and backpressure.
#include "http_client.hpp"
#include "test_server.hpp"

#include "http/server/block.hpp"

#include <weft/this_fiber.hpp>

#include <vector>

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;
using server::Block;

std::string head_of(std::string_view path, std::string_view lines) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
std::string fixed(std::string_view path, std::string_view body) {
  return head_of(path, "Content-Length: " + std::to_string(body.size()) + "\r\n") + std::string(body);
}
std::string chunked(std::string_view path, std::string_view body, std::size_t chunk_size) {
  std::string request = head_of(path, "Transfer-Encoding: chunked\r\n");
  for (; !body.empty(); body.remove_prefix(std::min(chunk_size, body.size()))) {
    const std::string_view chunk = body.substr(0, chunk_size);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    request += size + std::string(chunk) + "\r\n";
  }
  return request + "0\r\n\r\n";
}

/// Around the end of each buffer on the way: the handler's, the small body's, the output's, the input's, the
/// kernel's.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> sizes{0, 1, 2, 200'000};
  for (const std::size_t edge :
       {std::size_t{1000}, Block::kSmallBodySize, Block::kOutputSize - 250, Block::kOutputSize,
        Block::kInputSize - 80, Block::kInputSize, std::size_t{65536}}) {
    for (std::size_t size = edge - 2; size <= edge + 2; ++size) sizes.push_back(size);
  }
  return sizes;
}

void exchange_bodies(const net::SocketAddress& address) {
  Client client(address);
  for (const std::size_t size : sizes()) {
    const std::string body = TestServer::bytes(size);
    for (const std::string& request :
         {fixed("/echo", body), chunked("/echo", body, 700), chunked("/echo", body, 70'000),
          fixed("/whole/1000000", body), chunked("/whole/1000000", body, 700),
          chunked("/whole/1000000", body, 70'000)}) {
      auto writer = spawn([&] { client.send_if_open(request); });
      const Reply reply = client.receive();
      writer.join_uncancellable();
      ASSERT_TRUE(reply.body == body) << size << " bytes: " << request.substr(0, 80) << "\n"
                                      << reply.head << reply.body.size() << " " << client.error().message();
    }
    for (const std::string path : {"/bytes/", "/stream/", "/announced/"}) {
      ASSERT_TRUE(client.get(path + std::to_string(size)).body == body) << path << size;
    }
  }
}

class Bodies : public HttpTest {};
WEFT_HTTP_WORLDS(Bodies);

TEST_P(Bodies, EverySizeGoesBothWaysFixedAndChunked) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    exchange_bodies(server.address());
  });
}

TEST(SimulatedBodies, ShortReadsAndWritesChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    run_simulated(SimOptions::rough(seed), [] {
      TestServer server;
      exchange_bodies(server.address());
    });
  }
}

TEST_P(Bodies, ALargeBodyIsReadWhole) {
  run([](const Contexts& contexts) {
    TestServer server(contexts, {.body_size_max = kUnlimited});
    Client client(server.address());
    const std::string body(20'000'000, 'x');
    client.send(fixed("/size", body));
    EXPECT_EQ(client.receive().body, "20000000");
    EXPECT_EQ(client.get("/").status, 200);
  });
}

TEST_P(Bodies, ABodyReadWholeIsHeldToTheHandlersLimit) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    const std::string body = TestServer::bytes(50'000);
    const std::string refusal = make_error_code(Errc::message_too_large).message();
    for (const std::size_t max : std::initializer_list<std::size_t>{0, 1, 49'999, 50'000, 50'001}) {
      const std::string path = "/whole/" + std::to_string(max);
      for (const std::string& request : {fixed(path, body), chunked(path, body, 999)}) {
        client.send(request);
        ASSERT_TRUE(client.receive().body == (max < body.size() ? refusal : body)) << path;
      }
    }
    client.send(chunked("/whole/0", "", 1) + fixed("/whole/0", ""));
    EXPECT_EQ(client.receive().body, "");
    EXPECT_EQ(client.receive().body, "");
  });
}

TEST_P(Bodies, TheRestOfABodyIsReadWhole) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    const std::string body = TestServer::bytes(40'000);
    client.send(fixed("/rest", body));
    EXPECT_EQ(client.receive().body, "3 and " + body.substr(3));
    client.send(chunked("/rest", body, 1000));
    EXPECT_EQ(client.receive().body, "3 and " + body.substr(3));
  });
}

TEST_P(Bodies, ABodyThatTheHandlerLeavesIsSkipped) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send(fixed("/ignore", std::string(60'000, 'x')) +
                chunked("/ignore", std::string(60'000, 'x'), 5000) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive().body, "ignored");
    EXPECT_EQ(client.receive().body, "ignored");
    EXPECT_EQ(client.receive().body, "Hello world!");
  });
}

TEST_P(Bodies, ABodyTooLongToSkipEndsTheConnectionAndTheAnswerArrives) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    auto writer = spawn([&] { client.send_if_open(fixed("/ignore", std::string(200'000, 'x'))); });
    const Reply reply = client.receive();
    writer.join_uncancellable();
    EXPECT_EQ(reply.body, "ignored");
    EXPECT_TRUE(reply.closes());
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Bodies, ContinueIsSentWhenTheHandlerReads) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    for (int i = 0; i < 2; ++i) {
      client.send(head_of("/size", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
      EXPECT_EQ(client.receive().status, 100);
      client.send("body");
      const Reply reply = client.receive();
      EXPECT_EQ(reply.body, "4");
      EXPECT_FALSE(reply.closes());
    }
  });
}

TEST_P(Bodies, ContinueIsNotSentToAClientThatDidNotWait) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send(head_of("/size", "Content-Length: 4\r\nExpect: 100-continue\r\n") + "body");
    EXPECT_EQ(client.receive().body, "4");
  });
}

TEST_P(Bodies, AHandlerThatDoesNotWantTheBodyAnswersAtOnceAndCloses) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send(head_of("/ignore", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
    const Reply reply = client.receive();
    EXPECT_EQ(reply.body, "ignored");
    EXPECT_TRUE(reply.closes());
    EXPECT_TRUE(client.at_end());
  });
}

TEST_P(Bodies, AClientThatDoesNotReadStopsTheServerFromReading) {
  run([](const Contexts& contexts) {
    TestServer server(contexts, {.body_size_max = kUnlimited});
    Client client(server.address());
    client.send(head_of("/echo", "Content-Length: 1000000000\r\n"));
    const std::string piece(100'000, 'x');
    std::size_t sent = 0;
    for (io::Progress step(0, {}); step; sent += step.bytes()) {
      step = client.stream().write_all_until(std::as_bytes(std::span(piece)), Deadline::after(300ms));
    }
    EXPECT_LT(sent, 50'000'000u);  // what the buffers of the kernel hold
    std::string got;
    std::array<std::byte, 4096> part;
    while (got.size() < 100'000) {
      const Result<std::size_t> n = client.stream().read_some(part);
      ASSERT_TRUE(n);
      got.append(*n, 'x');
    }
  });
}

TEST_P(Bodies, ABodyThatEndsTooEarlyIsNotAnsweredAsIfItWereWhole) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    for (const std::string lines : {"Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"}) {
      Client client(server.address());
      client.send(head_of("/echo", lines) + (lines[0] == 'C' ? "12345" : "5\r\n12345\r\n"));
      client.finish_sending();
      EXPECT_FALSE(client.receive().whole);
    }
  });
}

TEST_P(Bodies, AMalformedChunkCutsOffAStreamThatHasBegun) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send(head_of("/echo", "Transfer-Encoding: chunked\r\n") + "5\r\n12345\r\n");
    std::array<std::byte, 1> first;
    ASSERT_TRUE(client.stream().read_some(first));  // it has begun
    client.send("XYZ\r\n");
    EXPECT_EQ(client.receive_until_end().find("\r\n0\r\n"), std::string::npos);
  });
}

}  // namespace
}  // namespace weft::http::test
