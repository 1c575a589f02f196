// SPDX-License-Identifier: Apache-2.0
#include "net/sockaddr.hpp"

#include "sys/errors.hpp"
#include "sys/socket.hpp"

#include <netinet/in.h>
#include <string>
#include <sys/un.h>

#include <gtest/gtest.h>

namespace weft::net {
namespace {

SocketAddress address(const char* text) { return SocketAddress::parse(text).value(); }

TEST(Sockaddr, KeepsTheAddressThereAndBack) {
  for (const char* text : {"0.0.0.0:0", "127.0.0.1:80", "255.255.255.255:65535", "[::]:0", "[::1]:443",
                           "[2001:db8::1]:8080", "[fe80::1%3]:22", "[::ffff:192.0.2.1]:1"}) {
    EXPECT_EQ(from_raw(to_raw(address(text))).value(), address(text)) << text;
  }
}

TEST(Sockaddr, IsInNetworkByteOrder) {
  const auto raw = to_raw(address("1.2.3.4:258")).as<sockaddr_in>();
  EXPECT_EQ(raw.sin_family, AF_INET);
  EXPECT_EQ(raw.sin_port, htons(0x0102));
  EXPECT_EQ(raw.sin_addr.s_addr, htonl(0x01020304));
}

TEST(Sockaddr, CarriesTheScope) {
  const auto raw = to_raw(address("[fe80::1%7]:1")).as<sockaddr_in6>();
  EXPECT_EQ(raw.sin6_scope_id, 7u);
}

TEST(Sockaddr, WhatIsNotIpIsAnError) {
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  EXPECT_EQ(from_raw(sys::RawAddress(path)).error(), Errc::invalid_address);
  EXPECT_EQ(from_raw(sys::RawAddress()).error(), Errc::invalid_address);
}

TEST(Sockaddr, OneThatIsTooShortIsAnError) {
  struct {
    sa_family_t family = AF_INET6;
    char rest[6] = {};
  } cut;
  EXPECT_EQ(from_raw(sys::RawAddress(cut)).error(), Errc::invalid_address);
}

TEST(Sockaddr, TheKernelTakesAndGivesTheSameAddress) {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    const SocketAddress wanted = address(text);
    const auto raw = to_raw(wanted);
    const Result<sys::Fd> socket = sys::create_socket(raw.family(), SOCK_STREAM);
    if (!socket || !sys::bind(socket->get(), raw)) continue;  // a machine without IPv6
    const SocketAddress bound = from_raw(sys::local_address(socket->get()).value()).value();
    EXPECT_EQ(bound.ip(), wanted.ip());
    EXPECT_NE(bound.port(), 0);
  }
}

}  // namespace
}  // namespace weft::net
