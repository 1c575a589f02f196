// SPDX-License-Identifier: Apache-2.0
// What was wrong: in a scope whose deadline had passed Server::wait() spun until the drain was over, and said
// that it was cancelled. A handler's own time limit was answered as if the client had been late.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <string>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;

std::string answer_to(weft::net::TcpStream& stream) {
  std::string answer;
  std::array<char, 4096> part;
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) answer.append(part.data(), *n);
  return answer;
}

TEST(ServerWait, EndsWithTheScopeAroundItAlsoDuringADrain) {
  stranger::in_fiber([] {
    weft::http::Server server;
    weft::Semaphore entered(0);
    server.get("/", [&](const weft::http::Request&, weft::http::Response&) {
      entered.release();
      EXPECT_EQ(weft::sleep(1h).error(), Errc::cancelled);
    });
    const auto address = server.start("127.0.0.1:0").value();
    auto client = weft::net::TcpStream::connect(address).value();
    ASSERT_TRUE(client.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    ASSERT_TRUE(entered.acquire());
    server.stop(Deadline::never());
    EXPECT_EQ(weft::with_timeout(5ms, [&] { return server.wait(); }).error(), Errc::timed_out);
    EXPECT_EQ(server.counters().open_connections, 0u);
  });
}

TEST(ServerWait, SaysWhichWayTheScopeAroundItEnded) {
  stranger::in_fiber([] {
    weft::http::Server timed, cancelled;
    timed.start("127.0.0.1:0").value();
    cancelled.start("127.0.0.1:0").value();
    EXPECT_EQ(weft::with_timeout(5ms, [&] { return timed.wait(); }).error(), Errc::timed_out);
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(cancelled.wait().error(), Errc::cancelled);
  });
}

TEST(HandlerScope, ATimeLimitOfTheHandlersOwnIsTheHandlersToAnswer) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.post("/", [](const weft::http::Request& request, weft::http::Response& response) {
      std::array<std::byte, 10> buffer;
      const auto n = weft::with_timeout(5ms, [&] { return request.read_some(buffer); });
      EXPECT_EQ(n.error(), Errc::timed_out);
      response.status(weft::http::Status::service_unavailable).text("busy");
    });
    const auto address = server.start("127.0.0.1:0").value();
    auto client = weft::net::TcpStream::connect(address).value();
    ASSERT_TRUE(client.write_all("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"));
    const std::string answer = answer_to(client);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_TRUE(answer.ends_with("busy")) << answer;
  });
}

}  // namespace
