// SPDX-License-Identifier: Apache-2.0
// What goes with a datagram: where it arrived, its traffic class, its segments.
#include "udp.hpp"

#include <string>

namespace stranger {
namespace {

using weft::Errc;
using weft::net::Ecn;
using weft::net::IpAddress;
using weft::net::SocketAddress;
using weft::net::TrafficClass;
using weft::net::UdpSocket;

TEST(UdpMarks, AServerAtAllAddressesLearnsWhichWasMeantAndAnswersFromIt) {
  in_fiber([] {
    UdpSocket server = udp("0.0.0.0:0", {.arrival_address = true});
    const IpAddress meant = IpAddress::v4(127, 0, 0, 7);
    UdpSocket client = UdpSocket::connect({meant, server.local_address().value().port()}).value();
    ASSERT_TRUE(client.send("to .7"));
    const Letter letter = next(server);
    ASSERT_TRUE(letter.info.arrived_at);
    EXPECT_EQ(letter.info.arrived_at->address, meant);
    EXPECT_EQ(letter.info.arrived_at->interface_index, loopback());
    ASSERT_TRUE(server.send_to("from .7", letter.info.from, {.from = letter.info.arrived_at->address}));
    const Letter answer = next(client);
    EXPECT_EQ(answer.text, "from .7") << "a connected socket hears no other address";
    EXPECT_EQ(answer.info.from.ip(), meant);
  });
}

TEST(UdpMarks, TheSameOverIpv6AndForBothFamilies) {
  in_fiber([] {
    UdpSocket server = udp(":0", {.arrival_address = true});
    const std::uint16_t port = server.local_address().value().port();
    UdpSocket six = udp("[::1]:0");
    ASSERT_TRUE(six.send_to("six", {IpAddress::v6_loopback(), port}));
    const Letter letter = next(server);
    ASSERT_TRUE(letter.info.arrived_at);
    EXPECT_EQ(letter.info.arrived_at->address, IpAddress::v6_loopback());
    EXPECT_EQ(letter.info.arrived_at->interface_index, loopback());
    ASSERT_TRUE(server.send_to("back", letter.info.from, {.from = IpAddress::v6_loopback()}));
    EXPECT_EQ(next(six).text, "back");
    UdpSocket four = udp();
    const IpAddress meant = IpAddress::v4(127, 0, 0, 9);
    ASSERT_TRUE(four.send_to("four", {meant, port}));
    const Letter mapped = next(server);
    ASSERT_TRUE(mapped.info.arrived_at);
    EXPECT_EQ(mapped.info.arrived_at->address.unmapped(), meant);
    ASSERT_TRUE(server.send_to("back", mapped.info.from, {.from = mapped.info.arrived_at->address}));
    EXPECT_EQ(next(four).info.from.ip(), meant);
  });
}

TEST(UdpMarks, AnAddressThatIsNotOursIsRefused) {
  in_fiber([] {
    UdpSocket a = udp("0.0.0.0:0");
    const SocketAddress self(IpAddress::v4_loopback(), a.local_address().value().port());
    EXPECT_TRUE(a.send_to("x", self, {.from = IpAddress::v4(192, 0, 2, 1)}).error());
    EXPECT_TRUE(a.send_to("x", self, {.interface_index = loopback()}));
    EXPECT_TRUE(a.send_to("x", self, {.interface_index = 9'999}).error());
  });
}

void expect_traffic_class(const char* at, const weft::net::IpAddress& local) {
  UdpSocket receiver = udp(at, {.traffic_class = true});
  UdpSocket sender = udp(local.is_v4() ? "0.0.0.0:0" : "[::]:0");
  const SocketAddress to(local, receiver.local_address().value().port());
  ASSERT_TRUE(sender.send_to("plain", to));
  EXPECT_EQ(next(receiver).info.traffic_class, TrafficClass());
  for (const Ecn ecn : {Ecn::kCapable0, Ecn::kCapable1, Ecn::kCongestion}) {
    const TrafficClass marked{46, ecn};
    ASSERT_TRUE(sender.send_to("marked", to, {.traffic_class = marked}));
    EXPECT_EQ(next(receiver).info.traffic_class, marked);
  }
  ASSERT_TRUE(sender.set_traffic_class({10, Ecn::kCapable0}));
  ASSERT_TRUE(sender.send_to("by default", to));
  EXPECT_EQ(next(receiver).info.traffic_class, (TrafficClass{10, Ecn::kCapable0}));
}

TEST(UdpMarks, TheTrafficClassArrivesWithItsEcnBits) {
  in_fiber([] {
    expect_traffic_class("127.0.0.1:0", IpAddress::v4_loopback());
    expect_traffic_class("[::1]:0", IpAddress::v6_loopback());
    expect_traffic_class(":0", IpAddress::v4_loopback());
    expect_traffic_class(":0", IpAddress::v6_loopback());
  });
}

TEST(UdpMarks, TheTrafficClassIsInABatchToo) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp("127.0.0.1:0", {.arrival_address = true, .traffic_class = true});
    weft::net::SendBatch out(2);
    out.add("1", b.local_address().value(), {.traffic_class = TrafficClass{1, Ecn::kCapable0}});
    out.add("2", b.local_address().value());
    ASSERT_TRUE(a.send_batch(out));
    weft::net::ReceiveBatch in(4, 16);
    for (int round = 0; round < 2; ++round) {
      ASSERT_EQ(b.receive_batch(in).value(), 2u);
      EXPECT_EQ(in.info(0).traffic_class, (TrafficClass{1, Ecn::kCapable0}));
      EXPECT_EQ(in.info(1).traffic_class, TrafficClass());
      ASSERT_TRUE(in.info(1).arrived_at);
      EXPECT_EQ(in.info(1).arrived_at->address, IpAddress::v4_loopback());
      out.add("1", b.local_address().value(), {.traffic_class = TrafficClass{1, Ecn::kCapable0}});
      out.add("2", b.local_address().value());
      ASSERT_TRUE(a.send_batch(out));
    }
  });
}

TEST(UdpMarks, OneCallSendsManyDatagrams) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    if (!a.can_segment()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
    std::string data;
    for (int i = 0; i < 10; ++i) data += std::string(1000, static_cast<char>('a' + i));
    data += "rest";
    ASSERT_TRUE(a.send_to(data, b.local_address().value(), {.segment_size = 1000}));
    std::string received;
    for (int i = 0; i < 11; ++i) {
      const Letter letter = next(b);
      EXPECT_EQ(letter.text.size(), i < 10 ? 1000u : 4u);
      received += letter.text;
    }
    EXPECT_TRUE(received == data);
    weft::net::SendBatch out(1);
    out.add(data, b.local_address().value(), {.segment_size = 5002});
    ASSERT_TRUE(a.send_batch(out));
    EXPECT_EQ(next(b, 8000).text.size(), 5002u);
    EXPECT_EQ(next(b, 8000).text.size(), 5002u);
  });
}

TEST(UdpMarks, CoalescedDatagramsTellTheirSize) {
  in_fiber([] {
    UdpSocket a = udp();
    weft::Result<UdpSocket> b = UdpSocket::bind("127.0.0.1:0", {.coalesce = true});
    EXPECT_TRUE(b || b.error() == Errc::unsupported);
    if (!b || !a.can_segment()) GTEST_SKIP() << "this kernel has no UDP_GRO";
    const std::string data(5'500, 'd');
    ASSERT_TRUE(a.send_to(data, b->local_address().value(), {.segment_size = 1000}));
    std::size_t received = 0;
    while (received < data.size()) {
      const Letter letter = next(*b, 65'535);
      received += letter.text.size();
      if (letter.text.size() > 1000) {
        EXPECT_EQ(letter.info.segment_size, 1000u);
      }
    }
    EXPECT_EQ(received, data.size());
    ASSERT_TRUE(a.send_to("alone", b->local_address().value()));
    EXPECT_EQ(next(*b, 65'535).info.segment_size, 0u);
  });
}

TEST(UdpMarks, BroadcastMustBeAskedFor) {
  in_fiber([] {
    UdpSocket plain = udp("0.0.0.0:0");
    EXPECT_EQ(plain.send_to("all", SocketAddress(IpAddress::v4(255, 255, 255, 255), 9)).error(),
              system_error(EACCES));
    UdpSocket allowed = udp("0.0.0.0:0", {.broadcast = true});
    // The broadcast address of the loopback network.
    UdpSocket receiver = udp("0.0.0.0:0");
    ASSERT_TRUE(allowed.send_to(
        "all", SocketAddress(IpAddress::v4(127, 255, 255, 255), receiver.local_address().value().port())));
    EXPECT_EQ(next(receiver).text, "all");
  });
}

TEST(UdpMarks, ASocketCanBeBoundToAnInterface) {
  in_fiber([] {
    const auto missing = UdpSocket::bind("127.0.0.1:0", {.device = "no-such-if0"});
    EXPECT_TRUE(missing.error() == system_error(ENODEV) || missing.error() == system_error(EPERM));
    weft::Result<UdpSocket> bound = UdpSocket::bind("127.0.0.1:0", {.device = "lo"});
    if (!bound) GTEST_SKIP() << bound.message();
    UdpSocket a = udp();
    ASSERT_TRUE(a.send_to("x", bound->local_address().value()));
    EXPECT_EQ(next(*bound).text, "x");
  });
}

}  // namespace
}  // namespace stranger
