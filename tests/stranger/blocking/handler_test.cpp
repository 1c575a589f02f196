// SPDX-License-Identifier: Apache-2.0
// Calls on a pool in handlers of an HTTP server: others are served meanwhile, and a client that goes away
// ends the scope that the call inherits.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <array>
#include <latch>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;

std::string get(const weft::net::SocketAddress& address, const std::string& path) {
  auto stream = weft::net::TcpStream::connect(address).value();
  stream.write_all("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").value();
  std::string answer;
  std::array<char, 4096> buffer;
  while (auto n = stream.read_some(buffer)) answer.append(buffer.data(), *n);
  return answer;
}

TEST(BlockingHandler, OthersAreServedWhileOneCallBlocks) {
  in_fiber([] {
    std::latch entered{1}, leave{1};
    weft::http::Server server;
    server.get("/slow", [&](const weft::http::Request&, weft::http::Response& response) {
      response.text(weft::blocking([&] {
                      entered.count_down();
                      leave.wait();
                      return std::string("slow");
                    }).value());
    });
    server.get("/quick",
               [](const weft::http::Request&, weft::http::Response& response) { response.text("quick"); });
    const auto address = server.start("127.0.0.1:0").value();
    auto slow = weft::spawn([&] { return get(address, "/slow"); });
    while (!entered.try_wait()) weft::yield();
    EXPECT_NE(get(address, "/quick").find("quick"), std::string::npos);
    EXPECT_FALSE(slow.done());
    leave.count_down();
    EXPECT_NE(slow.join().value().find("slow"), std::string::npos);
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

TEST(BlockingHandler, TheScopeOfACallEndsWhenTheClientIsGone) {
  in_fiber([] {
    std::latch entered{1};
    bool ended = false;
    weft::http::Server server;
    server.get("/slow", [&](const weft::http::Request&, weft::http::Response&) {
      weft::blocking([&] {
        weft::CancelScope scope;  // within that of the handler
        entered.count_down();
        while (scope.status()) std::this_thread::yield();
        ended = true;
      }).value();
    });
    const auto address = server.start("127.0.0.1:0").value();
    {
      auto stream = weft::net::TcpStream::connect(address).value();
      stream.write_all("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").value();
      while (!entered.try_wait()) weft::yield();
    }
    server.stop();
    EXPECT_TRUE(server.wait());
    EXPECT_TRUE(ended);
  });
}

}  // namespace
