// SPDX-License-Identifier: Apache-2.0
// http::Server died for good, its port open, when accept() failed with what is not the listener's own end:
// ENOSPC from epoll_ctl (max_user_watches), ENOSR, ETIMEDOUT or ECONNRESET from accept4.

#include "support/tcp.hpp"
#include "sys/fault.hpp"

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weft {
namespace {

std::string get(const net::SocketAddress& address) {
  auto stream = net::TcpStream::connect(address).value();
  EXPECT_TRUE(stream.write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  std::string all;
  std::array<char, 1000> part;
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) all.append(part.data(), *n);
  return all;
}

class HttpAccept : public testing::TestWithParam<int> {
 protected:
  // The first attempts to accept fail, in the server's own thread.
  void serves_after(sys::Call call, int times) {
    run([&] {
      http::Server server;
      server.get("/", [](const http::Request&, http::Response& response) { response.text("served"); });
      sys::FaultPlan faults;
      faults.fail(call, GetParam(), {.times = static_cast<std::uint64_t>(times)});
      const net::SocketAddress address = server.start("127.0.0.1:0").value();
      for (int i = 0; i < 100 && faults.applied() == 0; ++i) yield();
      EXPECT_GT(faults.applied(), 0u);
      EXPECT_TRUE(get(address).ends_with("served"));
      EXPECT_TRUE(get(address).ends_with("served"));
    });
  }
};

INSTANTIATE_TEST_SUITE_P(, HttpAccept,
                         testing::Values(ENOSPC, ENOSR, ETIMEDOUT, ECONNRESET, EMFILE, ENOMEM, EIO));

TEST_P(HttpAccept, GoesOnAfterAFailedAccept) { serves_after(sys::Call::accept, 3); }

TEST_P(HttpAccept, GoesOnAfterAFailedRegistration) { serves_after(sys::Call::epoll_add, 1); }

}  // namespace
}  // namespace weft
