// SPDX-License-Identifier: Apache-2.0
#include "sys/poll.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"
#include "sys/socket.hpp"

#include <gtest/gtest.h>

#include <span>

namespace weft::sys {
namespace {

TEST(Poll, SaysWhetherAnEventHoldsNow) {
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  EXPECT_FALSE(poll_now(pair.first.get(), POLLIN).value());
  EXPECT_TRUE(poll_now(pair.first.get(), POLLOUT).value());
  ASSERT_TRUE(write(pair.second.get(), std::as_bytes(std::span("x"))));
  EXPECT_TRUE(poll_now(pair.first.get(), POLLIN).value());
}

TEST(Poll, AHangUpHoldsWhateverWasAskedFor) {
  SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  pair.second.reset();
  EXPECT_TRUE(poll_now(pair.first.get(), POLLPRI).value());
}

TEST(Poll, AClosedNumberIsAnError) { EXPECT_EQ(poll_now(100'000, POLLIN).error(), error_of(EBADF)); }

TEST(Poll, AnInterruptionIsRetriedAndAnErrorPassedOn) {
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  FaultPlan faults;
  faults.fail(Call::poll, EINTR);
  faults.fail(Call::poll, ENOMEM, {.skip = 1});
  EXPECT_TRUE(poll_now(pair.first.get(), POLLOUT).value());
  EXPECT_EQ(poll_now(pair.first.get(), POLLOUT).error(), error_of(ENOMEM));
}

}  // namespace
}  // namespace weft::sys
