// SPDX-License-Identifier: Apache-2.0
// A peer: the same hello server on Asio's coroutines, without a parser (a request ends in an empty line).
//
//   asio_hello PORT        one thread

#include <asio.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using asio::ip::tcp;

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello world!";

asio::awaitable<void> serve(tcp::socket socket) {
  std::array<char, 2048> input;
  std::error_code error;
  const auto token = [&error] { return asio::redirect_error(asio::use_awaitable, error); };
  for (;;) {
    const std::size_t size = co_await socket.async_read_some(asio::buffer(input), token());
    if (error || !std::string_view(input.data(), size).ends_with("\r\n\r\n")) co_return;
    co_await asio::async_write(socket, asio::buffer(kResponse), token());
    if (error) co_return;
  }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: asio_hello PORT\n");
    return 2;
  }
  asio::io_context context(1);
  const auto port = static_cast<asio::ip::port_type>(std::atoi(argv[1]));
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  co_spawn(context, accept_all(acceptor), asio::detached);
  context.run();
}
