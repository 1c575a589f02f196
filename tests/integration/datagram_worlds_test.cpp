// SPDX-License-Identifier: Apache-2.0
// Datagrams in a simulated world: what its network does to them, again in the same way for the same seed.
#include "support/sim_context.hpp"

#include <weft/net/udp_socket.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using net::IpAddress;
using net::SocketAddress;
using net::UdpSocket;

std::error_code from_kernel(int number) { return {number, std::system_category()}; }

std::uint64_t in_world(SimOptions options, const std::function<void()>& body) {
  SimContext world("world", std::move(options));
  world.spawn([&] { body(); }).join_uncancellable();
  return world.loop().fingerprint();
}

/// The numbers that arrive of `count` that are sent, in the order of their arrival.
std::vector<int> arrivals_of(int count) {
  UdpSocket a = UdpSocket::bind("10.0.0.1:1").value();
  UdpSocket b = UdpSocket::bind("10.0.0.2:2").value();
  for (int i = 0; i < count; ++i) {
    EXPECT_TRUE(a.send_to(std::to_string(i), b.local_address().value()));
    EXPECT_TRUE(sleep(100us));
  }
  std::vector<int> arrived;
  std::string text(16, '\0');
  for (auto got = b.receive_from_until(text, 1s); got; got = b.receive_from_until(text, 1s)) {
    EXPECT_EQ(got->from, a.local_address().value());
    arrived.push_back(std::stoi(text.substr(0, got->size)));
  }
  return arrived;
}

TEST(DatagramWorlds, WithoutOptionsEveryDatagramArrivesInOrder) {
  in_world({}, [] {
    const std::vector<int> arrived = arrivals_of(200);
    ASSERT_EQ(arrived.size(), 200u);
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
  });
}

TEST(DatagramWorlds, SomeAreLostAndTheOthersKeepTheirOrder) {
  SimOptions options;
  options.latency_max_ns = 5'000'000;
  options.datagrams.loss_percent = 20;
  in_world(options, [] {
    const std::vector<int> arrived = arrivals_of(500);
    EXPECT_GT(arrived.size(), 300u);
    EXPECT_LT(arrived.size(), 480u);
    EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
  });
}

TEST(DatagramWorlds, SomeComeTwice) {
  SimOptions options;
  options.datagrams.duplicate_percent = 50;
  in_world(options, [] {
    const std::vector<int> arrived = arrivals_of(200);
    EXPECT_GT(arrived.size(), 240u);
    EXPECT_EQ(std::set<int>(arrived.begin(), arrived.end()).size(), 200u);
  });
}

TEST(DatagramWorlds, SomeComeLate) {
  SimOptions options;
  options.datagrams.reorder_percent = 30;
  in_world(options, [] {
    const std::vector<int> arrived = arrivals_of(200);
    EXPECT_EQ(arrived.size(), 200u);
    EXPECT_EQ(std::set<int>(arrived.begin(), arrived.end()).size(), 200u);
    EXPECT_FALSE(std::is_sorted(arrived.begin(), arrived.end()));
  });
}

TEST(DatagramWorlds, TheSameSeedGivesTheSameWorld) {
  const auto run = [](std::uint64_t seed, std::vector<int>& arrived) {
    SimOptions options = SimOptions::rough(seed);
    options.datagrams = {.loss_percent = 10, .duplicate_percent = 10, .reorder_percent = 10};
    return in_world(options, [&] { arrived = arrivals_of(200); });
  };
  std::vector<int> first;
  std::vector<int> second;
  std::vector<int> other;
  EXPECT_EQ(run(7, first), run(7, second));
  EXPECT_EQ(first, second);
  EXPECT_NE(run(7, first), run(8, other));
  EXPECT_NE(first, other);
}

TEST(DatagramWorlds, AGreaterDatagramThanTheNetworkTakesIsRefused) {
  SimOptions options;
  options.datagrams.size_max = 1'200;
  in_world(options, [] {
    UdpSocket a = UdpSocket::bind("10.0.0.1:1").value();
    const SocketAddress self = a.local_address().value();
    EXPECT_TRUE(a.send_to(std::string(1'200, 'x'), self));
    EXPECT_EQ(a.send_to(std::string(1'201, 'x'), self).error(), from_kernel(EMSGSIZE));
    EXPECT_TRUE(a.can_segment());
    EXPECT_TRUE(a.send_to(std::string(2'500, 'y'), self, {.segment_size = 1'200})) << "each is small enough";
    std::string text(2'000, '\0');
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 4; ++i) sizes.push_back(a.receive_from(text).value().size);
    EXPECT_EQ(sizes, (std::vector<std::size_t>{1'200, 1'200, 1'200, 100}));
  });
}

TEST(DatagramWorlds, WhatHasNoRoomIsDropped) {
  SimOptions options;
  options.datagrams.queue_size = 10;
  in_world(options, [] {
    UdpSocket a = UdpSocket::bind("10.0.0.1:1").value();
    for (const char* text : {"12345", "6789012", "34567"})
      EXPECT_TRUE(a.send_to(text, a.local_address().value()));
    EXPECT_TRUE(sleep(1ms));
    std::string text(16, '\0');
    EXPECT_EQ(a.receive_from(text).value().size, 5u);
    EXPECT_EQ(a.receive_from(text).value().size, 5u) << "the second did not fit";
    EXPECT_EQ(a.receive_from_until(text, 1ms).error(), Errc::timed_out);
  });
}

TEST(DatagramWorlds, ARefusalTakesItsTimeAndWakesAConnectedSocket) {
  SimOptions options;
  options.latency_min_ns = options.latency_max_ns = 3'000'000;
  in_world(options, [] {
    UdpSocket client = UdpSocket::connect("10.0.0.9:9").value();
    const std::int64_t begun = now_ns();
    ASSERT_TRUE(client.send("anybody?"));
    std::string text(16, '\0');
    EXPECT_EQ(client.receive_from(text).error(), from_kernel(ECONNREFUSED));
    EXPECT_EQ(now_ns() - begun, 6'000'000) << "there and back";
    UdpSocket plain = UdpSocket::bind("10.0.0.1:1").value();
    ASSERT_TRUE(plain.send_to("anybody?", SocketAddress::parse("10.0.0.9:9").value()));
    EXPECT_EQ(plain.receive_from_until(text, 1s).error(), Errc::timed_out) << "it has no peer";
  });
}

TEST(DatagramWorlds, MarksAndArrivalsAreTold) {
  in_world({}, [] {
    UdpSocket server = UdpSocket::bind(":5", {.arrival_address = true, .traffic_class = true}).value();
    UdpSocket client = UdpSocket::connect("10.0.0.7:5").value();
    const net::TrafficClass marked{46, net::Ecn::kCongestion};
    ASSERT_TRUE(client.send("x", {.traffic_class = marked}));
    std::string text(16, '\0');
    const auto got = server.receive_from(text).value();
    EXPECT_EQ(got.traffic_class, marked);
    ASSERT_TRUE(got.arrived_at);
    EXPECT_EQ(got.arrived_at->address.unmapped(), IpAddress::v4(10, 0, 0, 7));
    ASSERT_TRUE(server.send_to("back", got.from, {.from = got.arrived_at->address}));
    EXPECT_EQ(client.receive_from(text).value().from, SocketAddress::parse("10.0.0.7:5").value());
  });
}

TEST(DatagramWorlds, MembersOfAGroupGetWhatIsSentToIt) {
  in_world({}, [] {
    const IpAddress group = IpAddress::v4(239, 1, 2, 3);
    UdpSocket members[2];
    for (UdpSocket& member : members) {
      member = UdpSocket::bind("0.0.0.0:77", {.reuse_address = true}).value();
      ASSERT_TRUE(member.join_group(group));
    }
    EXPECT_EQ(members[0].join_group(group).error(), from_kernel(EADDRINUSE));
    EXPECT_EQ(members[0].join_group(IpAddress::v4(1, 2, 3, 4)).error(), from_kernel(EINVAL));
    UdpSocket sender = UdpSocket::bind("0.0.0.0:0").value();
    std::string text(16, '\0');
    ASSERT_TRUE(sender.send_to("all", {group, 77}));
    for (UdpSocket& member : members) EXPECT_EQ(member.receive_from(text).value().size, 3u);
    ASSERT_TRUE(members[0].leave_group(group));
    ASSERT_TRUE(sender.send_to("one", {group, 77}));
    EXPECT_EQ(members[1].receive_from(text).value().size, 3u);
    EXPECT_EQ(members[0].receive_from_until(text, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(members[0].leave_group(group).error(), from_kernel(EADDRNOTAVAIL));
  });
}

TEST(DatagramWorlds, AddressesAreTakenAsOnLinux) {
  in_world({}, [] {
    UdpSocket one = UdpSocket::bind("10.0.0.1:5").value();
    EXPECT_EQ(UdpSocket::bind("10.0.0.1:5").error(), from_kernel(EADDRINUSE));
    EXPECT_EQ(UdpSocket::bind(":5").error(), from_kernel(EADDRINUSE));
    EXPECT_TRUE(UdpSocket::bind("10.0.0.2:5"));
    EXPECT_TRUE(UdpSocket::bind(":5", {.v6_only = true}));
    EXPECT_EQ(one.send_to("x", {IpAddress::v4(255, 255, 255, 255), 9}).error(), from_kernel(EACCES));
    EXPECT_EQ(one.send("x").error(), from_kernel(EDESTADDRREQ));
    EXPECT_EQ(one.send_to("x", {IpAddress::v6_loopback(), 9}).error(), from_kernel(EAFNOSUPPORT));
    EXPECT_EQ(UdpSocket::bind(":0", {.device = "eth0"}).error(), Errc::unsupported);
    EXPECT_EQ(UdpSocket::bind(":0", {.coalesce = true}).error(), Errc::unsupported);
    EXPECT_EQ(one.native_handle(), -1);
    ASSERT_TRUE(one.close());
    EXPECT_TRUE(UdpSocket::bind("10.0.0.1:5"));
  });
}

TEST(DatagramWorlds, SocketsCountAsDescriptors) {
  SimOptions options;
  options.descriptors_max = 2;
  in_world(options, [] {
    UdpSocket one = UdpSocket::bind(":0").value();
    UdpSocket two = UdpSocket::bind(":0").value();
    EXPECT_EQ(UdpSocket::bind(":0").error(), from_kernel(EMFILE));
    ASSERT_TRUE(one.close());
    EXPECT_TRUE(UdpSocket::bind(":0"));
  });
}

TEST(DatagramWorlds, AReceiverThatNothingCanReachIsReported) {
  SimOptions options;
  options.stuck_after_ns = 0;
  std::vector<std::string> waiting;
  std::function<void()> cancel;
  options.on_stuck = [&](const SimStuck& stuck) {
    waiting = stuck.waiting;
    cancel();
  };
  in_world(std::move(options), [&] {
    UdpSocket socket = UdpSocket::bind("10.0.0.1:5").value();
    auto receiver = spawn([&] {
      char byte = 0;
      return socket.receive_from(MutableBuffer(&byte, 1)).error();
    });
    cancel = [&] { receiver.cancel(); };
    EXPECT_EQ(receiver.join_uncancellable(), Errc::cancelled);
  });
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_NE(waiting[0].find("waits to receive datagrams at 10.0.0.1:5"), std::string::npos) << waiting[0];
}

}  // namespace
}  // namespace weft::test
