// SPDX-License-Identifier: Apache-2.0
// Multicast, within the machine: over the loopback interface.
#include "udp.hpp"

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::net::IpAddress;
using weft::net::SocketAddress;
using weft::net::UdpSocket;

IpAddress group() { return IpAddress::v4(239, 255, 77, 1); }
IpAddress group6() { return IpAddress::parse("ff15::77:1").value(); }

TEST(UdpMulticast, EveryMemberGetsIt) {
  in_fiber([] {
    UdpSocket members[2] = {udp("0.0.0.0:0", {.reuse_address = true}), UdpSocket()};
    const std::uint16_t port = members[0].local_address().value().port();
    members[1] = UdpSocket::bind(SocketAddress(IpAddress::v4_any(), port), {.reuse_address = true}).value();
    for (UdpSocket& member : members) ASSERT_TRUE(member.join_group(group(), loopback()));
    UdpSocket sender = udp();
    ASSERT_TRUE(sender.set_multicast_interface(loopback()));
    ASSERT_TRUE(sender.set_multicast_hops(0));
    ASSERT_TRUE(sender.send_to("to all", SocketAddress(group(), port)));
    for (UdpSocket& member : members) EXPECT_EQ(next(member).text, "to all");
    ASSERT_TRUE(members[0].leave_group(group(), loopback()));
    ASSERT_TRUE(sender.send_to("to one", SocketAddress(group(), port)));
    EXPECT_EQ(next(members[1]).text, "to one");
  });
}

TEST(UdpMulticast, ABatchReachesEveryMember) {
  in_fiber([] {
    UdpSocket members[2] = {udp("0.0.0.0:0", {.reuse_address = true}), UdpSocket()};
    const SocketAddress at(IpAddress::v4_any(), members[0].local_address().value().port());
    members[1] = UdpSocket::bind(at, {.reuse_address = true}).value();
    for (UdpSocket& member : members) ASSERT_TRUE(member.join_group(group(), loopback()));
    UdpSocket sender = udp();
    ASSERT_TRUE(sender.set_multicast_interface(loopback()));
    weft::net::SendBatch out(3);
    for (const char* text : {"aa", "bb", "c"}) out.add(text, SocketAddress(group(), at.port()));
    ASSERT_TRUE(sender.send_batch(out));
    for (UdpSocket& member : members)
      for (const char* text : {"aa", "bb", "c"}) EXPECT_EQ(next(member).text, text);
  });
}

TEST(UdpMulticast, WithoutLoopNothingComesBack) {
  in_fiber([] {
    UdpSocket socket = udp("0.0.0.0:0");
    const SocketAddress to(group(), socket.local_address().value().port());
    ASSERT_TRUE(socket.join_group(group(), loopback()));
    ASSERT_TRUE(socket.set_multicast_interface(loopback()));
    ASSERT_TRUE(socket.send_to("echo", to));
    EXPECT_EQ(next(socket).text, "echo");
    ASSERT_TRUE(socket.set_multicast_loop(false));
    EXPECT_EQ(socket.set_multicast_hops(-1).error(), system_error(EINVAL));
    EXPECT_EQ(socket.set_multicast_hops(256).error(), system_error(EINVAL));
    EXPECT_TRUE(socket.set_multicast_hops(255));
    EXPECT_EQ(socket.set_hops(0).error(), system_error(EINVAL));
    EXPECT_TRUE(socket.set_hops(255));
  });
}

TEST(UdpMulticast, OverIpv6) {
  in_fiber([] {
    UdpSocket member = udp("[::]:0");
    const auto joined = member.join_group(group6());
    if (!joined) GTEST_SKIP() << joined.message() << ": no interface for multicast of IPv6 here";
    UdpSocket sender = udp("[::]:0");
    ASSERT_TRUE(sender.set_multicast_loop(true));
    ASSERT_TRUE(sender.set_multicast_hops(0));
    const auto sent = sender.send_to("six", SocketAddress(group6(), member.local_address().value().port()));
    if (!sent) GTEST_SKIP() << sent.message() << ": no multicast route of IPv6 here";
    EXPECT_EQ(next(member).text, "six");
    EXPECT_TRUE(member.leave_group(group6()));
  });
}

TEST(UdpMulticast, MistakesAreToldApart) {
  in_fiber([] {
    UdpSocket socket = udp("0.0.0.0:0");
    ASSERT_TRUE(socket.join_group(group(), loopback()));
    EXPECT_EQ(socket.join_group(group(), loopback()).error(), system_error(EADDRINUSE));
    ASSERT_TRUE(socket.leave_group(group(), loopback()));
    EXPECT_EQ(socket.leave_group(group(), loopback()).error(), system_error(EADDRNOTAVAIL));
    EXPECT_EQ(socket.join_group(IpAddress::v4_loopback(), loopback()).error(), system_error(EINVAL));
    EXPECT_EQ(socket.join_group(group(), 9'999).error(), system_error(ENODEV));
    EXPECT_EQ(socket.join_group(group6(), loopback()).error(), system_error(EINVAL)) << "of the other family";
  });
}

}  // namespace
}  // namespace stranger
