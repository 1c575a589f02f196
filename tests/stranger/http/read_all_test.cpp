// SPDX-License-Identifier: Apache-2.0
// Request::read_all(): what was sent comes back, however it was framed and cut.
#include "stranger/http/raw_client.hpp"
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 % 251);
  return text;
}

std::string chunked(std::string_view body, std::size_t chunk) {
  std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    const std::string_view piece = body.substr(0, chunk);
    char line[32];
    std::snprintf(line, sizeof line, "%zX\r\n", piece.size());
    request.append(line).append(piece).append("\r\n");
  }
  return request + "0\r\n\r\n";
}

std::string with_length(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string echoed(const weft::net::SocketAddress& address, std::string_view request) {
  auto stream = weft::net::TcpStream::connect(address).value();
  auto writer = weft::spawn([&] { return stream.write_all(request).has_value(); });
  std::string reply;
  std::array<char, 10'000> part;
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) reply.append(part.data(), *n);
  EXPECT_TRUE(writer.join_uncancellable());
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply.substr(0, 60);
  const std::size_t end_of_head = reply.find("\r\n\r\n");
  return end_of_head == reply.npos ? reply : reply.substr(end_of_head + 4);
}

TEST(ReadAll, GivesTheBytesThatWereSent) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.post("/", [](const weft::http::Request& request, weft::http::Response& response) {
      response.body(request.read_all().value(), "application/octet-stream");
    });
    const auto address = server.start("127.0.0.1:0").value();
    for (const std::size_t size :
         std::initializer_list<std::size_t>{0, 1, 5, 16'383, 16'384, 16'385, 20'000, 200'000, 1024 * 1024}) {
      const std::string body = pattern(size);
      EXPECT_TRUE(echoed(address, with_length(body)) == body) << size;
      EXPECT_TRUE(echoed(address, chunked(body, 100'000)) == body) << size;
      EXPECT_TRUE(echoed(address, chunked(body, 1000)) == body) << size;
    }
  });
}

// The client has pipelined another request, and has ended its sending side: the handler is cancelled, but it
// has the body.
TEST(ReadAll, ABodyThatWasReadIsWholeAlthoughItsClientIsGone) {
  stranger::in_fiber([] {
    weft::http::Server server;
    std::error_code after_the_last;
    server.post("/", [&](const weft::http::Request& request, weft::http::Response& response) {
      std::array<std::byte, 4> body;
      EXPECT_EQ(request.read_some(body).value(), 4u);
      while (!weft::this_fiber::cancel_requested()) weft::yield();
      while (weft::checkpoint()) {}
      after_the_last = request.read_some(body).error();
      response.text("whole");
    });
    const auto address = server.start("127.0.0.1:0").value();
    stranger::RawClient client(address);
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.finish_sending();
    EXPECT_NE(client.read_to_end().find("whole"), std::string::npos);
    EXPECT_EQ(after_the_last, weft::Errc::end_of_file);
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

}  // namespace
