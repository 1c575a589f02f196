// SPDX-License-Identifier: Apache-2.0
// Cancel scopes around the calls of sockets.
#include <weft/cancel_scope.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "support/any_context.hpp"
#include "support/cancelled.hpp"

#include <array>
#include <vector>

namespace weft {
namespace {

/// The address that a listener gets, in the kernel's world and in a simulated one.
constexpr const char* kAnywhere = "127.0.0.1:0";

class CancelIo : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, CancelIo, test::all_contexts(), test::kind_name);

TEST_P(CancelIo, AReadIsCancelledAndTheStreamStaysUsable) {
  const auto error = test::cancelled_while_waiting(context, [](auto ready) {
    auto listener = net::TcpListener::bind(kAnywhere).value();
    auto client = net::TcpStream::connect(listener.local_address().value()).value();
    auto server = listener.accept().value();
    ready();
    std::array<std::byte, 8> buffer;
    const auto read = server.read_some(buffer);
    const CancelShield shield;
    EXPECT_TRUE(client.write_all(std::span(buffer).first(5)));
    EXPECT_EQ(server.read_some(buffer).value(), 5u);
    return read.error();
  });
  EXPECT_EQ(error, Errc::cancelled);
}

TEST_P(CancelIo, AnAcceptIsCancelled) {
  const auto error = test::cancelled_while_waiting(context, [](auto ready) {
    auto listener = net::TcpListener::bind(kAnywhere).value();
    ready();
    return listener.accept().error();
  });
  EXPECT_EQ(error, Errc::cancelled);
}

// Sticky also for calls that never have to wait: when the budget is spent.
TEST_P(CancelIo, AFiberWhoseReadsNeverWaitNoticesTheEndOfItsScope) {
  run([] {
    auto listener = net::TcpListener::bind(kAnywhere).value();
    auto client = net::TcpStream::connect(listener.local_address().value()).value();
    auto server = listener.accept().value();
    const std::vector<std::byte> data(4000);
    EXPECT_TRUE(client.write_all(data));
    CancelScope scope;
    scope.cancel();
    std::array<std::byte, 1> buffer;
    Result<std::size_t> read(std::size_t{0});
    int reads = 0;
    while ((read = server.read_some(buffer))) ++reads;
    EXPECT_EQ(read.error(), Errc::cancelled);
    EXPECT_LE(reads, 200);
  });
}

TEST_P(CancelIo, TheScopesDeadlineEndsAReadWithoutOne) {
  run([] {
    auto listener = net::TcpListener::bind(kAnywhere).value();
    CancelScope scope(Deadline::after(std::chrono::milliseconds(1)));
    EXPECT_EQ(listener.accept().error(), Errc::timed_out);
    EXPECT_EQ(listener.accept().error(), Errc::timed_out);
  });
}

}  // namespace
}  // namespace weft
