// SPDX-License-Identifier: Apache-2.0
// The last response of a connection reaches its client, whatever that still sends.
//
// What was wrong: a stray line behind the last request reset the connection, and the rest of the response was
// gone; of a body that nobody wanted 256 KiB were taken, and the client of 5 MB did not see why.
#include "raw_client.hpp"

#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::body_of;
using stranger::RawClient;
using stranger::status_of;
using weft::http::Limits;
using weft::http::Request;
using weft::http::Response;

void serving(const Limits& limits, const std::function<void(const weft::net::SocketAddress&)>& body) {
  stranger::in_fiber([&] {
    weft::http::Server server(limits);
    server.get("/big/:size", [](const Request& request, Response& response) {
      response.text(std::string(std::stoul(*request.parameter("size")), 'b'));
    });
    server.post("/small", [](const Request& request, Response& response) {
      const auto read = request.read_all(1000);
      response.text(read ? "whole" : "not read");
    });
    body(server.start("127.0.0.1:0").value());
  });
}

TEST(StagedClose, AStrayLineDoesNotCutTheLastResponseOff) {
  serving({}, [](const weft::net::SocketAddress& address) {
    for (const std::size_t size : {10u, 100'000u, 5'000'000u}) {
      for (const char* version : {"1.1\r\nHost: a\r\nConnection: close", "1.0"}) {
        for (const bool late : {false, true}) {
          RawClient client(address);
          EXPECT_TRUE(client.stream().set_receive_buffer_size(65536));
          const std::string head = "GET /big/" + std::to_string(size) + " HTTP/" + version + "\r\n\r\n";
          client.send(late ? head : head + "\r\n");
          if (late) {
            EXPECT_TRUE(client.stream().wait_readable());  // the response is on its way
            client.send("\r\n");
          }
          EXPECT_EQ(body_of(client.read_to_end()).size(), size) << version << late;
        }
      }
    }
  });
}

// Sends all of it before it looks at the answer.
TEST(StagedClose, ALargeBodyThatNobodyWantsIsSentToItsEndAndAnswered) {
  const std::string body(5'000'000, 'b');
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  const std::string chunks = "Transfer-Encoding: chunked\r\n\r\n4c4b40\r\n" + body + "\r\n0\r\n\r\n";
  const auto reply = [](const weft::net::SocketAddress& address, const std::string& path,
                        const std::string& rest) {
    RawClient client(address);
    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + rest);
    return client.read_to_end();
  };
  Limits limits;
  limits.body_size_max = body.size();
  serving(limits, [&](const weft::net::SocketAddress& address) {
    EXPECT_EQ(status_of(reply(address, "/missing", length + body)), 404);
    EXPECT_EQ(status_of(reply(address, "/missing", chunks)), 404);
    EXPECT_EQ(body_of(reply(address, "/small", length + body)), "not read");
  });
  serving({}, [&](const weft::net::SocketAddress& address) {
    EXPECT_EQ(status_of(reply(address, "/small", length + body)), 413);
    EXPECT_EQ(status_of(reply(address, "/missing", chunks)), 404);
  });
}

// The time of all of it is limited, whatever the client sends, and so is silence.
TEST(StagedClose, EndsByItsTimeWithAClientThatGoesOnSending) {
  Limits limits;
  limits.linger_timeout = 50ms;
  serving(limits, [](const weft::net::SocketAddress& address) {
    RawClient client(address);
    client.send(stranger::get("/big/1"));
    EXPECT_EQ(body_of(client.read_to_end()), "b");
    weft::Result<void> sent;
    while (sent) {
      const weft::io::Progress more = client.stream().write_all("x");
      sent = more ? weft::sleep(1ms) : weft::Result<void>(more.error());
    }
    EXPECT_TRUE(sent.error() == std::errc::connection_reset || sent.error() == std::errc::broken_pipe);
  });
}

TEST(StagedClose, DoesNotKeepAServerThatStops) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [](const Request&, Response& response) { response.text("last"); });
    const auto address = server.start("127.0.0.1:0").value();
    RawClient client(address);
    client.send(stranger::get("/"));
    EXPECT_EQ(body_of(client.read_to_end()), "last");
    server.stop(weft::Deadline::after(0s));  // the client has not closed
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(server.counters().open_connections, 0u);
  });
}

}  // namespace
