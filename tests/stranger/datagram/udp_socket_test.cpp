// SPDX-License-Identifier: Apache-2.0
// What a UDP socket sends and receives.
#include "udp.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::net::SocketAddress;
using weft::net::UdpSocket;

TEST(UdpSocket, ADatagramArrivesWithItsSender) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    ASSERT_TRUE(a.send_to("question", b.local_address().value()));
    const Letter question = next(b);
    EXPECT_EQ(question.text, "question");
    EXPECT_EQ(question.info.from, a.local_address().value());
    EXPECT_EQ(question.info.full_size, 8u);
    EXPECT_FALSE(question.info.is_truncated());
    EXPECT_EQ(question.info.segment_size, 0u);
    EXPECT_FALSE(question.info.arrived_at) << "it was not asked for";
    EXPECT_FALSE(question.info.traffic_class);
    ASSERT_TRUE(b.send_to("answer", question.info.from));
    EXPECT_EQ(next(a).text, "answer");
  });
}

TEST(UdpSocket, OverIpv6AndBothFamilies) {
  in_fiber([] {
    UdpSocket both = udp(":0");
    const std::uint16_t port = both.local_address().value().port();
    UdpSocket v4 = udp();
    UdpSocket v6 = udp("[::1]:0");
    ASSERT_TRUE(v4.send_to("four", SocketAddress(weft::net::IpAddress::v4_loopback(), port)));
    const Letter four = next(both);
    EXPECT_EQ(four.text, "four");
    EXPECT_TRUE(four.info.from.ip().is_v4_mapped());
    EXPECT_EQ(four.info.from.ip().unmapped(), weft::net::IpAddress::v4_loopback());
    ASSERT_TRUE(both.send_to("back", four.info.from)) << "a mapped address";
    EXPECT_EQ(next(v4).text, "back");
    ASSERT_TRUE(both.send_to("again", v4.local_address().value())) << "and a plain one";
    EXPECT_EQ(next(v4).text, "again");
    ASSERT_TRUE(v6.send_to("six", SocketAddress(weft::net::IpAddress::v6_loopback(), port)));
    EXPECT_EQ(next(both).info.from, v6.local_address().value());
  });
}

TEST(UdpSocket, ASocketForIpv6OnlyLeavesThePortToIpv4) {
  in_fiber([] {
    UdpSocket six = udp(":0", {.v6_only = true});
    const SocketAddress same(weft::net::IpAddress::v4_any(), six.local_address().value().port());
    EXPECT_TRUE(UdpSocket::bind(same));
  });
}

TEST(UdpSocket, AnEmptyDatagramIsAValue) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    ASSERT_TRUE(a.send_to("", b.local_address().value()));
    ASSERT_TRUE(a.send_to("x", b.local_address().value()));
    const Letter empty = next(b);
    EXPECT_EQ(empty.info.size, 0u);
    EXPECT_EQ(empty.info.full_size, 0u);
    EXPECT_EQ(empty.info.from, a.local_address().value());
    EXPECT_EQ(next(b).text, "x") << "it did not end anything";
  });
}

TEST(UdpSocket, WhatDoesNotFitIsCutOffAndTold) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(a.send_to("0123456789", b.local_address().value()));
    const Letter all_but_one = next(b, 9);
    EXPECT_EQ(all_but_one.text, "012345678");
    EXPECT_EQ(all_but_one.info.full_size, 10u);
    EXPECT_TRUE(all_but_one.info.is_truncated());
    EXPECT_FALSE(next(b, 10).info.is_truncated()) << "it fits exactly";
    const Letter nothing = next(b, 0);
    EXPECT_EQ(nothing.info.size, 0u) << "an empty buffer takes one, too";
    EXPECT_EQ(nothing.info.full_size, 10u);
    EXPECT_EQ(next(b).text, "0123456789");
  });
}

TEST(UdpSocket, TheGreatestDatagramAndOneByteMore) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    std::string greatest(65'507, 'g');
    greatest.back() = '!';
    ASSERT_TRUE(a.send_to(greatest, b.local_address().value()));
    EXPECT_TRUE(next(b, 65'507).text == greatest);
    EXPECT_EQ(a.send_to(greatest + "x", b.local_address().value()).error(), system_error(EMSGSIZE));
    ASSERT_TRUE(a.send_to("still usable", b.local_address().value()));
    EXPECT_EQ(next(b).text, "still usable");
  });
}

TEST(UdpSocket, SeveralBuffersAreOneDatagram) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const std::array<std::span<const std::byte>, 3> parts{std::as_bytes(std::span("head", 4)),
                                                          std::span<const std::byte>(),
                                                          std::as_bytes(std::span("body", 4))};
    ASSERT_TRUE(a.send_to_until(parts, b.local_address().value(), Deadline::never()));
    std::string first(2, '\0');
    std::string second(10, '\0');
    const std::array<std::span<std::byte>, 2> rooms{std::as_writable_bytes(std::span(first)),
                                                    std::as_writable_bytes(std::span(second))};
    const auto received = b.receive_from_until(rooms, Deadline::never()).value();
    EXPECT_EQ(received.size, 8u);
    EXPECT_EQ(first + second.substr(0, 6), "headbody");
    const std::vector<std::span<const std::byte>> many(17, parts[0]);
    EXPECT_EQ(a.send_to_until(many, b.local_address().value(), Deadline::never()).error(),
              system_error(EINVAL));
  });
}

TEST(UdpSocket, AConnectedSocketHearsItsPeerOnly) {
  in_fiber([] {
    UdpSocket server = udp();
    UdpSocket stranger = udp();
    UdpSocket client = UdpSocket::connect(server.local_address().value()).value();
    EXPECT_EQ(client.peer_address().value(), server.local_address().value());
    EXPECT_EQ(server.peer_address().error(), system_error(ENOTCONN));
    ASSERT_TRUE(client.send("hello"));
    const Letter hello = next(server);
    EXPECT_EQ(hello.info.from, client.local_address().value());
    ASSERT_TRUE(stranger.send_to("spam", client.local_address().value()));
    ASSERT_TRUE(server.send_to("welcome", hello.info.from));
    EXPECT_EQ(next(client).text, "welcome");
    EXPECT_EQ(server.send("to whom").error(), system_error(EDESTADDRREQ));
    ASSERT_TRUE(client.set_peer(stranger.local_address().value()));
    ASSERT_TRUE(client.send("you"));
    EXPECT_EQ(next(stranger).text, "you");
    ASSERT_TRUE(client.clear_peer());
    EXPECT_EQ(client.send("nobody").error(), system_error(EDESTADDRREQ));
    EXPECT_EQ(client.peer_address().error(), system_error(ENOTCONN));
  });
}

/// An address where nobody receives.
SocketAddress nobody() { return udp().local_address().value(); }

TEST(UdpSocket, APortWithoutASocketIsAnErrorOfAConnectedOne) {
  in_fiber([] {
    UdpSocket client = UdpSocket::connect(nobody()).value();
    ASSERT_TRUE(client.send("anybody?"));
    char buffer[16];
    EXPECT_EQ(client.receive_from(buffer).error(), system_error(ECONNREFUSED));
    EXPECT_EQ(client.receive_from_until(buffer, 1ms).error(), Errc::timed_out) << "it comes once";
    ASSERT_TRUE(client.send("anybody?"));
    EXPECT_EQ(client.wait_readable().has_value(), true) << "the error is something to be received";
    EXPECT_EQ(client.send("anybody?").error(), system_error(ECONNREFUSED)) << "or from sending";
    ASSERT_TRUE(client.send("anybody?")) << "it stays usable";
  });
}

TEST(UdpSocket, ARefusalWakesOneThatWaits) {
  in_fiber([] {
    UdpSocket client = UdpSocket::connect(nobody()).value();
    const auto receive = [&] {
      char buffer[16];
      return client.receive_from(buffer).error();
    };
    auto one = weft::spawn(receive);
    auto other = weft::spawn(receive);
    weft::yield();
    ASSERT_TRUE(client.send("anybody?"));
    int first = 0;
    EXPECT_TRUE(weft::select(weft::join(one, [&](weft::Result<void>) { first = 1; }),
                             weft::join(other, [&](weft::Result<void>) { first = 2; })));
    auto& left = first == 1 ? other : one;
    ASSERT_TRUE(left.joinable()) << "one refusal ends one of them";
    EXPECT_FALSE(left.done());
    ASSERT_TRUE(client.send("anybody?"));
    EXPECT_EQ(left.join_uncancellable(), system_error(ECONNREFUSED));
  });
}

TEST(UdpSocket, AServerIsNotToldOfClientsThatAreGone) {
  in_fiber([] {
    UdpSocket server = udp();
    const SocketAddress gone = nobody();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(server.send_to("answer", gone));
    char buffer[16];
    EXPECT_EQ(server.receive_from_until(buffer, 5ms).error(), Errc::timed_out);
  });
}

}  // namespace
}  // namespace stranger
