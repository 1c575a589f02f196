// SPDX-License-Identifier: Apache-2.0
#include <weft/net/address.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <map>
#include <net/if.h>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace weft::net {
namespace {

static_assert(sizeof(IpAddress) == 24);
static_assert(std::is_trivially_copyable_v<SocketAddress>);
static_assert(IpAddress() == IpAddress::v4(0, 0, 0, 0));

constexpr unsigned kSeed = 20261101;

std::string canonical(const char* text) {
  const Result<IpAddress> address = IpAddress::parse(text);
  return address ? address->to_string() : address.error().message();
}

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

TEST(IpAddress, Version4IsFourDecimalNumbers) {
  EXPECT_EQ(ip("127.0.0.1"), IpAddress::v4_loopback());
  EXPECT_EQ(ip("0.0.0.0"), IpAddress::v4_any());
  EXPECT_EQ(ip("255.255.255.255"), IpAddress::v4(255, 255, 255, 255));
  EXPECT_EQ(canonical("192.0.2.10"), "192.0.2.10");
}

TEST(IpAddress, WhatOnlyLooksLikeVersion4IsRefused) {
  for (const char* text : {"",         ".",          "1",          "1.2.3",      "1.2.3.4.5",    "1.2.3.",
                           ".1.2.3",   "1..2.3",     "256.0.0.1",  "1.2.3.4 ",   " 1.2.3.4",     "+1.2.3.4",
                           "-1.2.3.4", "01.2.3.4",   "1.2.3.00",   "0x7f.0.0.1", "1.2.3.4%eth0", "1.2.3.1000",
                           "127.1",    "2130706433", "1.2.3.4/24", "[1.2.3.4]",  "a.b.c.d"}) {
    EXPECT_EQ(IpAddress::parse(text).error(), Errc::invalid_address) << text;
  }
}

TEST(IpAddress, ATextWithANullByteIsRefused) {
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::parse(std::string_view("::1\0", 4)));
  EXPECT_FALSE(IpAddress::parse(std::string_view("fe80::1%lo\0x", 12)));
}

TEST(IpAddress, Version6IsWrittenAsRfc5952Says) {
  const std::map<const char*, const char*> cases = {
      // 4.1: no leading zeros in a group
      {"2001:0db8::0001", "2001:db8::1"},
      // 4.2.1: shortened as much as possible
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
      // 4.2.2: one group is not shortened
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      // 4.2.3: the longest run, and the first of equals
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      // 4.3: lower case
      {"2001:DB8::ABCD", "2001:db8::abcd"},
      // 5: mapped IPv4 is dotted
      {"::ffff:c000:0201", "::ffff:192.0.2.1"},
      {"::FFFF:192.0.2.1", "::ffff:192.0.2.1"},
      // the ends
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      // dotted at the end of others is understood, and written in hexadecimal
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"::192.0.2.1", "::c000:201"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(IpAddress, WhatOnlyLooksLikeVersion6IsRefused) {
  for (const char* text : {":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1::2::3",
                           "1:2:3:4::5:6:7:8",
                           ":1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:",
                           "::12345",
                           "::g",
                           "::-1",
                           "::+1",
                           "::1 ",
                           " ::1",
                           "[::1]",
                           "::1/64",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "::1.2.3",
                           "::1.2.3.256",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::0x1",
                           ":1",
                           "1:",
                           "::ffff:01.2.3.4"}) {
    EXPECT_EQ(IpAddress::parse(text).error(), Errc::invalid_address) << text;
  }
}

TEST(IpAddress, AScopeIsAnIndexOrTheNameOfAnInterface) {
  EXPECT_EQ(ip("fe80::1%3").scope_id(), 3u);
  EXPECT_EQ(ip("fe80::1%3").to_string(), "fe80::1%3");
  EXPECT_EQ(ip("fe80::1%4294967295").scope_id(), 4294967295u);
  EXPECT_EQ(ip("fe80::1").scope_id(), 0u);
  EXPECT_NE(ip("fe80::1%3"), ip("fe80::1"));
  const unsigned loopback = ::if_nametoindex("lo");
  if (loopback == 0) GTEST_SKIP() << "no interface named lo";
  EXPECT_EQ(ip("fe80::1%lo").scope_id(), loopback);
}

TEST(IpAddress, AScopeThatIsNoneIsRefused) {
  for (const char* text : {"fe80::1%", "fe80::1%0", "fe80::1%4294967296", "fe80::1%99999999999", "fe80::1%-1",
                           "fe80::1%no-such-interface", "fe80::1%nosuch0", "fe80::1%3%4", "%3"}) {
    EXPECT_EQ(IpAddress::parse(text).error(), Errc::invalid_address) << text;
  }
}

TEST(IpAddress, KnowsAnyAndLoopback) {
  for (const char* text : {"0.0.0.0", "::"}) EXPECT_TRUE(ip(text).is_any()) << text;
  for (const char* text : {"0.0.0.1", "::1", "::ffff:0.0.0.0"}) EXPECT_FALSE(ip(text).is_any()) << text;
  for (const char* text : {"127.0.0.1", "127.255.1.2", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(ip(text).is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1", "0.0.0.0", "::", "::2", "::ffff:1.2.3.4", "7f00::1"}) {
    EXPECT_FALSE(ip(text).is_loopback()) << text;
  }
}

TEST(IpAddress, AMappedAddressIsUnmappedOnRequestOnly) {
  const IpAddress mapped = ip("::ffff:192.0.2.1");
  EXPECT_TRUE(mapped.is_v6());
  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_NE(mapped, ip("192.0.2.1"));
  EXPECT_EQ(mapped.unmapped(), ip("192.0.2.1"));
  EXPECT_EQ(ip("::1").unmapped(), ip("::1"));
  EXPECT_EQ(ip("192.0.2.1").unmapped(), ip("192.0.2.1"));
  EXPECT_FALSE(ip("192.0.2.1").is_v4_mapped());
}

TEST(IpAddress, GivesItsBytesInNetworkOrder) {
  const IpAddress v4 = ip("1.2.3.4");
  EXPECT_EQ(std::vector<int>(v4.bytes().begin(), v4.bytes().end()), (std::vector<int>{1, 2, 3, 4}));
  const IpAddress v6 = ip("102::ff");
  EXPECT_EQ(v6.bytes().size(), 16u);
  EXPECT_EQ(v6.bytes()[0], 1);
  EXPECT_EQ(v6.bytes()[1], 2);
  EXPECT_EQ(v6.bytes()[15], 255);
}

TEST(IpAddress, OrdersByFamilyThenBytesThenScope) {
  std::vector<IpAddress> addresses = {ip("fe80::1%2"), ip("::1"),     ip("10.0.0.1"), ip("fe80::1%1"),
                                      ip("9.0.0.1"),   ip("fe80::1"), ip("::")};
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  EXPECT_EQ(texts, (std::vector<std::string>{"9.0.0.1", "10.0.0.1", "::", "::1", "fe80::1", "fe80::1%1",
                                             "fe80::1%2"}));
}

/// An address whose groups are often zero, so that every shape of "::" comes up.
IpAddress random_v6(std::mt19937& random) {
  IpAddress::V6Bytes bytes{};
  for (std::size_t group = 0; group < 8; ++group) {
    if (random() % 2 == 0) continue;
    bytes[2 * group] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0 : random());
    bytes[2 * group + 1] = static_cast<std::uint8_t>(random());
  }
  return IpAddress::v6(bytes, random() % 4 == 0 ? static_cast<std::uint32_t>(random()) : 0);
}

IpAddress random_v4(std::mt19937& random) {
  const auto byte = [&random] { return static_cast<std::uint8_t>(random()); };
  return IpAddress::v4(byte(), byte(), byte(), byte());
}

TEST(IpAddressProperty, ParsingTheTextOfAnAddressGivesTheAddress) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    for (const IpAddress& address : {random_v4(random), random_v6(random)}) {
      ASSERT_EQ(IpAddress::parse(address.to_string()).value(), address) << address.to_string();
    }
  }
}

TEST(IpAddressProperty, TheSystemsParserAgreesWithTheText) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    const IpAddress address = IpAddress::v6([&] {
      IpAddress::V6Bytes bytes{};
      std::copy_n(random_v6(random).bytes().begin(), bytes.size(), bytes.begin());
      return bytes;
    }());
    IpAddress::V6Bytes theirs{};
    ASSERT_EQ(::inet_pton(AF_INET6, address.to_string().c_str(), theirs.data()), 1) << address.to_string();
    ASSERT_EQ(IpAddress::v6(theirs), address) << address.to_string();
  }
}

TEST(IpAddressProperty, AcceptsAndRefusesWhatTheSystemsParserDoes) {
  std::mt19937 random(kSeed);
  const std::string_view alphabet = "01f:.:";
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    for (std::size_t size = random() % 24; size > 0; --size) text += alphabet[random() % alphabet.size()];
    if (text.find(':') == std::string::npos) continue;
    IpAddress::V6Bytes theirs{};
    const bool accepted = ::inet_pton(AF_INET6, text.c_str(), theirs.data()) == 1;
    const Result<IpAddress> ours = IpAddress::parse(text);
    ASSERT_EQ(ours.has_value(), accepted) << text;
    ASSERT_EQ(ours.value_or(IpAddress::v6({})), IpAddress::v6(accepted ? theirs : IpAddress::V6Bytes{}))
        << text;
  }
}

TEST(IpAddressProperty, NoTextIsReadBeyondItsEnd) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = random_v6(random).to_string();
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
      static_cast<void>(IpAddress::parse(std::string_view(exact.data(), exact.size())));
    }
  }
}

TEST(IpAddressHash, EqualAddressesHashAlikeAndOthersSpread) {
  std::unordered_set<IpAddress> addresses;
  std::set<std::size_t> low_bits;
  for (int i = 0; i < 256; ++i) {
    for (int j = 0; j < 16; ++j) {
      const IpAddress address =
          IpAddress::v4(10, 0, static_cast<std::uint8_t>(j), static_cast<std::uint8_t>(i));
      addresses.insert(address);
      low_bits.insert(std::hash<IpAddress>()(address) % 4096);
    }
  }
  EXPECT_EQ(addresses.size(), 4096u);
  EXPECT_EQ(addresses.count(ip("10.0.3.7")), 1u);
  EXPECT_GT(low_bits.size(), 2300u) << "4096 random values hit about 2589 of 4096 buckets";
  EXPECT_NE(std::hash<IpAddress>()(ip("fe80::1%1")), std::hash<IpAddress>()(ip("fe80::1%2")));
  EXPECT_NE(std::hash<IpAddress>()(ip("0.0.0.0")), std::hash<IpAddress>()(ip("::")));
}

TEST(SocketAddress, IsAnAddressAndAPort) {
  const SocketAddress v4 = SocketAddress::parse("127.0.0.1:80").value();
  EXPECT_EQ(v4.ip(), IpAddress::v4_loopback());
  EXPECT_EQ(v4.port(), 80);
  const SocketAddress v6 = SocketAddress::parse("[::1]:65535").value();
  EXPECT_EQ(v6.ip(), IpAddress::v6_loopback());
  EXPECT_EQ(v6.port(), 65535);
  EXPECT_EQ(SocketAddress::parse("[fe80::1%3]:1").value().ip().scope_id(), 3u);
  EXPECT_EQ(SocketAddress::parse("0.0.0.0:0").value(), SocketAddress());
}

TEST(SocketAddress, APortAloneIsEveryAddressOfBothFamilies) {
  const SocketAddress address = SocketAddress::parse(":8080").value();
  EXPECT_EQ(address, SocketAddress(IpAddress::v6_any(), 8080));
  EXPECT_TRUE(address.is_any());
  EXPECT_EQ(address.to_string(), "[::]:8080");
}

TEST(SocketAddress, WhatIsNotOneIsRefused) {
  for (const char* text : {"",
                           ":",
                           "80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1:8o",
                           "127.0.0.1: 80",
                           "127.0.0.1:000080",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::1]:",
                           "[::1",
                           "::1]:80",
                           "[]:80",
                           "[127.0.0.1]:80",
                           "[[::1]]:80",
                           "localhost:80",
                           "*:80",
                           "[:80",
                           "]:80",
                           "127.0.0.1:80:90",
                           "[::1%]:80",
                           "http://127.0.0.1:80"}) {
    EXPECT_EQ(SocketAddress::parse(text).error(), Errc::invalid_address) << text;
  }
}

TEST(SocketAddress, ParsingItsTextGivesItBack) {
  std::mt19937 random(kSeed);
  for (int i = 0; i < 10'000; ++i) {
    for (const IpAddress& address : {random_v4(random), random_v6(random)}) {
      const SocketAddress socket_address(address, static_cast<std::uint16_t>(random()));
      const std::string text = socket_address.to_string();
      ASSERT_EQ(SocketAddress::parse(text).value(), socket_address) << text;
    }
  }
}

TEST(SocketAddress, ComparesAndHashesByAddressAndPort) {
  const SocketAddress one = SocketAddress::parse("10.0.0.1:80").value();
  EXPECT_EQ(one, SocketAddress(IpAddress::v4(10, 0, 0, 1), 80));
  EXPECT_LT(one, one.with_port(81));
  EXPECT_LT(one.with_port(9000), SocketAddress::parse("10.0.0.2:80").value());
  std::unordered_set<SocketAddress> ports;
  for (std::uint16_t port = 0; port < 1000; ++port) ports.insert(one.with_port(port));
  EXPECT_EQ(ports.size(), 1000u);
  EXPECT_NE(std::hash<SocketAddress>()(one), std::hash<SocketAddress>()(one.with_port(81)));
}

}  // namespace
}  // namespace weft::net
