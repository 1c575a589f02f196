// SPDX-License-Identifier: Apache-2.0
// What is malformed, too large or not understood: the right status, then the end, over sockets.
#include "http_client.hpp"
#include "test_server.hpp"

#include "http/protocol/request_corpus.hpp"

#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

namespace weft::http::test {
namespace {

class Refusals : public HttpTest {};
WEFT_HTTP_WORLDS(Refusals);

void expect_refusal(const net::SocketAddress& address, std::string_view what, const std::string& request,
                    int status) {
  Client client(address);
  auto writer = spawn([&] { client.send_if_open(request); });
  Reply reply = client.receive();
  while (reply.status != 0 && reply.status < 400) reply = client.receive();
  writer.join_uncancellable();
  EXPECT_EQ(reply.status, status) << what;
  EXPECT_TRUE(reply.closes()) << what;
  EXPECT_TRUE(reply.whole) << what;
  EXPECT_TRUE(client.at_end()) << what;
}

TEST_P(Refusals, EachLimitHasItsStatusAndEndsTheConnection) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    const std::string host = "Host: a\r\n";
    const auto expect = [&](const std::string& request, int status) {
      expect_refusal(server.address(), request.substr(0, 60), request, status);
    };
    expect("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414);
    expect("GET / HTTP/1.1\r\n" + host + "A: " + std::string(17'000, 'a') + "\r\n\r\n", 431);
    std::string many;
    for (int i = 0; i < 101; ++i) many += "A: b\r\n";
    expect("GET / HTTP/1.1\r\n" + host + many + "\r\n", 431);
    expect("POST /size HTTP/1.1\r\n" + host + "Content-Length: 1048577\r\n\r\n", 413);
    expect("POST /size HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n100001\r\n", 413);
    expect(
        "POST /size HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'),
        431);
    expect("GET / HTTP/1.1\r\n\r\n", 400);
    expect("POST /size HTTP/1.1\r\n" + host + "Expect: more\r\nContent-Length: 1\r\n\r\n", 417);
    expect("BREW / HTTP/1.1\r\n" + host + "\r\n", 501);
    expect("GET / HTTP/2.0\r\n" + host + "\r\n", 505);
    EXPECT_EQ(Client(server.address()).get("/").status, 200);
  });
}

TEST_P(Refusals, AnAnswerArrivesThoughTheClientIsStillSending) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    for (int i = 0; i < 20; ++i) {
      expect_refusal(
          server.address(), "a large body",
          "POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n" + std::string(200'000, 'x'),
          413);
    }
  });
}

/// Reads every body of every request.
void add_reader(Server& server) {
  const Handler read = [](const Request& request, Response& response) {
    const Result<std::string> body = request.read_all();
    response.text(body ? "read" : "not read");
  };
  for (std::size_t i = 0; i < kMethodCount; ++i) server.route(static_cast<Method>(i), "/*all", read);
}

TEST_P(Refusals, NothingOfTheSmugglingCorpusGetsThrough) {
  run([](const Contexts& contexts) {
    Server server;
    add_reader(server);
    const net::SocketAddress address = server.start("127.0.0.1:0", {.contexts = contexts}).value();
    for (const protocol::CorpusCase& one : protocol::refused_requests()) {
      expect_refusal(address, one.what, one.bytes, one.status);
    }
  });
}

TEST_P(Refusals, WhatIsOddButValidIsServed) {
  run([](const Contexts& contexts) {
    Server server;
    add_reader(server);
    const net::SocketAddress address = server.start("127.0.0.1:0", {.contexts = contexts}).value();
    for (const protocol::CorpusCase& one : protocol::accepted_requests()) {
      Client client(address);
      client.send(one.bytes);
      client.finish_sending();
      Reply reply = client.receive();
      if (reply.status == 100) reply = client.receive();
      EXPECT_LT(reply.status, 300) << one.what;
      EXPECT_GE(reply.status, 200) << one.what;
    }
  });
}

}  // namespace
}  // namespace weft::http::test
