// SPDX-License-Identifier: Apache-2.0
#include "sys/socket_filter.hpp"

#include "sys/errors.hpp"
#include "sys/poll.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <gtest/gtest.h>

namespace weft::sys {
namespace {

/// Listens at a free port of the loopback address, or at that of `other`.
Fd listening(const RawAddress* other = nullptr) {
  Fd socket = create_socket(AF_INET, SOCK_STREAM).value();
  EXPECT_TRUE(set_reuse_port(socket.get(), true));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_TRUE(bind(socket.get(), other != nullptr ? *other : RawAddress(any)));
  EXPECT_TRUE(listen(socket.get(), 16));
  return socket;
}

TEST(SocketFilter, AListenerThatDropsNewConnectionsKeepsThoseItHas) {
  const Fd listener = listening();
  const RawAddress address = local_address(listener.get()).value();
  const Fd before = create_socket(AF_INET, SOCK_STREAM).value();
  EXPECT_TRUE(connect(before.get(), address));
  ASSERT_TRUE(drop_new_connections(listener.get()));
  const Fd after = create_socket(AF_INET, SOCK_STREAM).value();
  EXPECT_FALSE(connect(after.get(), address).value()) << "in progress";
  EXPECT_TRUE(accept(listener.get()));
  EXPECT_TRUE(would_block(accept(listener.get()).error()));
  EXPECT_FALSE(poll_now(after.get(), POLLOUT).value()) << "neither made nor refused";
}

TEST(SocketFilter, ADroppedConnectionIsMadeWithAnotherListenerOfThePort) {
  Fd first = listening();
  const RawAddress address = local_address(first.get()).value();
  ASSERT_TRUE(drop_new_connections(first.get()));
  const Fd client = create_socket(AF_INET, SOCK_STREAM).value();
  EXPECT_FALSE(connect(client.get(), address).value());
  const Fd second = listening(&address);
  first.reset();
  pollfd writable{.fd = client.get(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(::poll(&writable, 1, 60'000), 1) << "the client repeats its request after a second";
  EXPECT_TRUE(connect_result(client.get()));
  EXPECT_TRUE(accept(second.get()));
}

TEST(SocketFilter, WhatIsNoSocketIsRefused) { EXPECT_EQ(drop_new_connections(-1).error(), error_of(EBADF)); }

}  // namespace
}  // namespace weft::sys
