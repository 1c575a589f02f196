// SPDX-License-Identifier: Apache-2.0
// start() after stop() succeeded and nobody listened; stop() on a plain thread aborted where a connection was
// idle; a client that ended sending within its body got no answer.
#include "raw_client.hpp"

#include <thread>
#include <vector>

namespace {

using stranger::body_of;
using stranger::get;
using stranger::RawClient;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Request;
using weft::http::Response;

void hello(const Request&, Response& response) { response.text("Hello world!"); }

TEST(ServerLife, WhatWasStoppedDoesNotStartAgain) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", hello);
    const auto address = server.start("127.0.0.1:0").value();
    EXPECT_EQ(body_of(reply_to(address, get("/"))), "Hello world!");
    server.stop();
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(server.start("127.0.0.1:0").error(), weft::Errc::closed);
    EXPECT_EQ(server.listen("127.0.0.1:0").error(), weft::Errc::closed);
    EXPECT_FALSE(weft::net::TcpStream::connect(address));
  });
}

TEST(ServerLife, OneThatNeverStartedMayBeStoppedToo) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.stop();
    EXPECT_EQ(server.start("127.0.0.1:0").error(), weft::Errc::closed);
    EXPECT_TRUE(server.wait());
  });
}

TEST(ServerLife, APlainThreadStopsItWithIdleAndBusyConnections) {
  for (int round = 0; round < 20; ++round) {
    stranger::in_fiber(
        [] {
          weft::http::Server server;
          weft::Latch entered(1);
          weft::Latch leave(1);
          server.get("/", hello);
          server.get("/busy", [&](const Request&, Response& response) {
            entered.count_down();
            leave.wait_uncancellable();
            response.text("done");
          });
          const auto address = server.start("127.0.0.1:0").value();
          RawClient busy(address);
          busy.send(get("/busy", "keep-alive"));
          entered.wait_uncancellable();
          std::vector<RawClient> idle;
          for (int i = 0; i < 8; ++i) {
            idle.emplace_back(address);
            idle.back().send(get("/", "keep-alive"));
            std::array<std::byte, 8> first;
            EXPECT_TRUE(idle.back().stream().read_some(first));
          }
          std::thread thread([&] { server.stop(weft::Deadline::never()); });
          for (RawClient& client : idle) EXPECT_TRUE(client.read_to_end().ends_with("Hello world!"));
          thread.join();
          leave.count_down();
          EXPECT_EQ(body_of(RawClient(std::move(busy)).read_to_end()), "done");
          EXPECT_TRUE(server.wait());
          EXPECT_EQ(server.counters().open_connections, 0u);
        },
        2);
  }
}

TEST(ServerLife, AClientThatEndsSendingWithinItsBodyIsAnsweredWith400) {
  stranger::in_fiber([] {
    weft::http::Server server;
    std::error_code seen;
    server.post("/all", [&](const Request& request, Response& response) {
      const auto body = request.read_all();
      seen = body.error();
      response.text(body ? *body : "not whole");
    });
    server.post("/some", [&](const Request& request, Response& response) {
      std::array<std::byte, 4> part;
      while (true) {
        const auto n = request.read_some(part);
        if (n) continue;
        seen = n.error();
        break;
      }
      response.text("read");
    });
    server.post("/throw", [&](const Request& request, Response& response) {
      response.text(request.read_all().value());
    });
    const auto address = server.start("127.0.0.1:0").value();
    for (const std::string path : {"/all", "/some", "/throw"}) {
      for (const std::string rest : {"Content-Length: 100\r\n\r\nonly this", "Content-Length: 1\r\n\r\n",
                                     "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
                                     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        RawClient client(address);
        client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + rest).finish_sending();
        const std::string reply = client.read_to_end();
        EXPECT_EQ(status_of(reply), 400) << path << " " << rest;
        EXPECT_TRUE(stranger::has_line(reply, "Connection: close")) << reply;
        if (path != "/throw") {
          EXPECT_EQ(seen, weft::Errc::malformed_message);
        }
        seen = {};
      }
    }
  });
}

TEST(ServerLife, AClientThatEndsSendingAfterItsRequestIsAnswered) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.post(
        "/", [](const Request& request, Response& response) { response.text(request.read_all().value()); });
    const auto address = server.start("127.0.0.1:0").value();
    RawClient client(address);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nwhole").finish_sending();
    EXPECT_EQ(body_of(client.read_to_end()), "whole");
  });
}

}  // namespace
