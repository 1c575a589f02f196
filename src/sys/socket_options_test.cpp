// SPDX-License-Identifier: Apache-2.0
#include "sys/socket_options.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/socket.hpp"

#include <limits>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

using namespace std::chrono_literals;

class SocketOptionsTest : public testing::Test {
 protected:
  int fd() const { return socket_.get(); }

  Fd socket_ = create_socket(AF_INET, SOCK_STREAM).value();
};

TEST_F(SocketOptionsTest, SwitchesAreSetAndCleared) {
  ASSERT_TRUE(set_reuse_address(fd(), true));
  EXPECT_EQ(get_option(fd(), SOL_SOCKET, SO_REUSEADDR).value(), 1);
  ASSERT_TRUE(set_reuse_port(fd(), true));
  EXPECT_EQ(get_option(fd(), SOL_SOCKET, SO_REUSEPORT).value(), 1);
  EXPECT_FALSE(no_delay(fd()).value());
  ASSERT_TRUE(set_no_delay(fd(), true));
  EXPECT_TRUE(no_delay(fd()).value());
  ASSERT_TRUE(set_no_delay(fd(), false));
  EXPECT_FALSE(no_delay(fd()).value());
  ASSERT_TRUE(set_quick_ack(fd(), false));
  EXPECT_EQ(get_option(fd(), IPPROTO_TCP, TCP_QUICKACK).value(), 0);
}

TEST_F(SocketOptionsTest, KeepAliveTakesItsIntervals) {
  EXPECT_FALSE(keep_alive(fd()).value().has_value());
  ASSERT_TRUE(set_keep_alive(fd(), KeepAlive{.idle = 30s, .interval = 7s, .probes = 3}));
  const std::optional<KeepAlive> set = keep_alive(fd()).value();
  ASSERT_TRUE(set);
  EXPECT_EQ(set->idle, 30s);
  EXPECT_EQ(set->interval, 7s);
  EXPECT_EQ(set->probes, 3);
  ASSERT_TRUE(set_keep_alive(fd(), std::nullopt));
  EXPECT_FALSE(keep_alive(fd()).value().has_value());
}

TEST_F(SocketOptionsTest, KeepAliveOutOfRangeIsRefusedAndNotWrapped) {
  EXPECT_TRUE(is_errno(set_keep_alive(fd(), KeepAlive{.idle = 0s}).error(), EINVAL));
  EXPECT_TRUE(is_errno(set_keep_alive(fd(), KeepAlive{.idle = -5s}).error(), EINVAL));
  EXPECT_TRUE(is_errno(set_keep_alive(fd(), KeepAlive{.idle = std::chrono::hours(1 << 22)}).error(), EINVAL));
  EXPECT_FALSE(keep_alive(fd()).value().has_value());
}

TEST_F(SocketOptionsTest, LingerTellsOffFromZero) {
  EXPECT_EQ(linger(fd()).value(), std::nullopt);
  ASSERT_TRUE(set_linger(fd(), 0s));
  EXPECT_EQ(linger(fd()).value(), 0s);
  ASSERT_TRUE(set_linger(fd(), 5s));
  EXPECT_EQ(linger(fd()).value(), 5s);
  ASSERT_TRUE(set_linger(fd(), std::nullopt));
  EXPECT_EQ(linger(fd()).value(), std::nullopt);
}

TEST_F(SocketOptionsTest, BufferSizesComeBackDoubled) {
  ASSERT_TRUE(set_send_buffer_size(fd(), 32768));
  ASSERT_TRUE(set_receive_buffer_size(fd(), 16384));
  EXPECT_EQ(send_buffer_size(fd()).value(), 65536);
  EXPECT_EQ(receive_buffer_size(fd()).value(), 32768);
}

TEST_F(SocketOptionsTest, TimeoutsAreSetInTheirUnits) {
  ASSERT_TRUE(set_user_timeout(fd(), 1500ms));
  EXPECT_EQ(user_timeout(fd()).value(), 1500ms);
  ASSERT_TRUE(set_defer_accept(fd(), 3s));
  EXPECT_GE(get_option(fd(), IPPROTO_TCP, TCP_DEFER_ACCEPT).value(), 3);
  ASSERT_TRUE(set_defer_accept(fd(), 0s));
  EXPECT_EQ(get_option(fd(), IPPROTO_TCP, TCP_DEFER_ACCEPT).value(), 0);
}

TEST_F(SocketOptionsTest, ATimeoutBeyondTheKernelsRangeIsItsLargest) {
  ASSERT_TRUE(set_user_timeout(fd(), std::chrono::milliseconds::max()));
  EXPECT_EQ(user_timeout(fd()).value(), std::chrono::milliseconds(std::numeric_limits<int>::max()));
}

TEST_F(SocketOptionsTest, V6OnlyIsForIpv6) {
  EXPECT_FALSE(set_v6_only(fd(), true));
  const Result<Fd> v6 = create_socket(AF_INET6, SOCK_STREAM);
  if (!v6) GTEST_SKIP() << "no IPv6 here: " << v6.error().message();
  ASSERT_TRUE(set_v6_only(v6->get(), true));
  EXPECT_EQ(get_option(v6->get(), IPPROTO_IPV6, IPV6_V6ONLY).value(), 1);
}

TEST_F(SocketOptionsTest, FailuresOfTheKernelAreReported) {
  EXPECT_TRUE(is_errno(set_no_delay(-1, true).error(), EBADF));
  EXPECT_TRUE(is_errno(get_option(-1, SOL_SOCKET, SO_ERROR).error(), EBADF));
  EXPECT_TRUE(is_errno(linger(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(keep_alive(-1).error(), EBADF));
  FaultPlan faults;
  faults.fail(Call::set_option, ENOBUFS, {.skip = 1});
  EXPECT_TRUE(is_errno(set_keep_alive(fd(), KeepAlive{}).error(), ENOBUFS));
}

}  // namespace
}  // namespace weft::sys
