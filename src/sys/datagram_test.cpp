// SPDX-License-Identifier: Apache-2.0
// The calls that move datagrams, and what goes with them.
#include "sys/control_message.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/socket.hpp"

#include <array>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

/// Messages of one buffer each.
template <std::size_t kCount>
struct Messages {
  Messages() {
    for (std::size_t i = 0; i < kCount; ++i) {
      pieces[i] = {bytes[i].data(), bytes[i].size()};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void set(std::size_t index, std::string_view text) {
    text.copy(bytes[index].data(), text.size());
    pieces[index].iov_len = text.size();
  }
  std::string_view text(std::size_t index) const { return {bytes[index].data(), headers[index].msg_len}; }

  std::array<std::array<char, 16>, kCount> bytes{};
  std::array<iovec, kCount> pieces{};
  std::array<mmsghdr, kCount> headers{};
};

class DatagramCalls : public testing::Test {
 protected:
  SocketPair pair = create_socket_pair(SOCK_DGRAM).value();
};

TEST_F(DatagramCalls, SeveralMessagesAreOneCall) {
  Messages<3> out;
  out.set(0, "one");
  out.set(1, "");
  out.set(2, "three");
  EXPECT_EQ(sendmmsg(pair.first.get(), out.headers).value(), 3u);
  Messages<4> in;
  EXPECT_EQ(recvmmsg(pair.second.get(), in.headers).value(), 3u);
  EXPECT_EQ(in.text(0), "one");
  EXPECT_EQ(in.text(1), "");
  EXPECT_EQ(in.text(2), "three");
  EXPECT_TRUE(would_block(recvmmsg(pair.second.get(), in.headers).error()));
}

TEST_F(DatagramCalls, AnInterruptedOneIsRepeatedAndAShortOneSendsLess) {
  Messages<3> messages;
  for (std::size_t i = 0; i < 3; ++i) messages.set(i, "x");
  FaultPlan faults;
  faults.fail(Call::sendmmsg, EINTR);
  faults.shorten(Call::sendmmsg, 2);
  faults.fail(Call::recvmmsg, EINTR);
  EXPECT_EQ(sendmmsg(pair.first.get(), messages.headers).value(), 2u);
  EXPECT_EQ(recvmmsg(pair.second.get(), messages.headers).value(), 2u);
  EXPECT_EQ(faults.applied(), 3u);
}

TEST_F(DatagramCalls, OneDatagramTellsItsSenderAndItsTrueSize) {
  const Fd receiver = create_socket(AF_INET, SOCK_DGRAM).value();
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_TRUE(bind(receiver.get(), RawAddress(at)));
  const Fd sender = create_socket(AF_INET, SOCK_DGRAM).value();
  ASSERT_TRUE(bind(sender.get(), RawAddress(at)));
  const RawAddress to = local_address(receiver.get()).value();
  const std::string text = "0123456789";
  EXPECT_EQ(send_to(sender.get(), std::as_bytes(std::span(text)), to.data(), to.size()).value(), 10u);
  std::array<std::byte, 4> buffer{};
  sockaddr_in from{};
  socklen_t size = sizeof(from);
  auto* const name = reinterpret_cast<sockaddr*>(&from);
  EXPECT_EQ(recv_from(receiver.get(), buffer, MSG_TRUNC, name, size).value(), 10u);
  EXPECT_EQ(size, sizeof(from));
  EXPECT_EQ(from.sin_port, local_address(sender.get()).value().as<sockaddr_in>().sin_port);
  EXPECT_TRUE(would_block(recv_from(receiver.get(), buffer, 0, name, size).error()));
}

TEST(ControlMessage, WhatIsAddedIsReadAgain) {
  alignas(cmsghdr) std::array<std::byte, control_size(sizeof(int)) + control_size(sizeof(char))> room{};
  ControlWriter writer(room);
  EXPECT_TRUE(writer.add(1, 2, 12345));
  EXPECT_TRUE(writer.add(3, 4, 'c'));
  EXPECT_FALSE(writer.add(5, 6, 1)) << "there is no room";
  msghdr message{};
  writer.give_to(message);
  std::vector<std::array<int, 3>> read;
  for_each_control(message, [&](int level, int type, std::span<const std::byte> value) {
    read.push_back({level, type, control_value<int>(value)});
  });
  EXPECT_EQ(read, (std::vector<std::array<int, 3>>{{1, 2, 12345}, {3, 4, 'c'}}));
}

TEST(ControlMessage, AnEmptyOneHasNothing) {
  ControlWriter writer({});
  EXPECT_FALSE(writer.add(1, 2, 3));
  msghdr message{};
  writer.give_to(message);
  EXPECT_EQ(message.msg_control, nullptr);
  for_each_control(message, [](int, int, std::span<const std::byte>) { ADD_FAILURE(); });
}

TEST(ControlMessage, LengthsThatCannotBeEndTheReading) {
  alignas(cmsghdr) std::array<std::byte, control_size(sizeof(int))> room{};
  for (const std::size_t length : std::array<std::size_t, 4>{0, 1, CMSG_LEN(0) - 1, room.size() + 1}) {
    cmsghdr header{};
    header.cmsg_len = length;
    std::memcpy(room.data(), &header, sizeof(header));
    msghdr message{};
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    for_each_control(message, [&](int, int, std::span<const std::byte> value) {
      EXPECT_LE(value.size(), room.size() - CMSG_LEN(0)) << length;
    });
  }
}

}  // namespace
}  // namespace weft::sys
