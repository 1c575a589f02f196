// SPDX-License-Identifier: Apache-2.0
#include "sys/socket.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/iovec.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket_options.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

RawAddress loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return RawAddress(address);
}

std::uint16_t port_of(const RawAddress& address) { return ntohs(address.as<sockaddr_in>().sin_port); }

void wait_for(int fd, short events) {
  pollfd poll{.fd = fd, .events = events, .revents = 0};
  ASSERT_EQ(::poll(&poll, 1, 10'000), 1) << "nothing happened on the socket";
}

std::string received(int fd) {
  wait_for(fd, POLLIN);
  std::array<char, 64> buffer{};
  const Result<std::size_t> size = recv(fd, std::as_writable_bytes(std::span(buffer)));
  return size ? std::string(buffer.data(), *size) : size.error().message();
}

/// A listening TCP socket on a port of the kernel's choice.
class TcpTest : public testing::Test {
 protected:
  void SetUp() override {
    listener_ = create_socket(AF_INET, SOCK_STREAM).value();
    bind(listener_.get(), loopback(0)).value();
    listen(listener_.get(), 8).value();
    address_ = local_address(listener_.get()).value();
  }

  Fd connected() {
    Fd client = create_socket(AF_INET, SOCK_STREAM).value();
    if (!connect(client.get(), address_).value()) wait_for(client.get(), POLLOUT);
    connect_result(client.get()).value();
    return client;
  }

  Fd accepted(RawAddress* peer = nullptr) {
    wait_for(listener_.get(), POLLIN);
    return accept(listener_.get(), peer).value();
  }

  Fd listener_;
  RawAddress address_;
};

void expect_nonblocking_and_close_on_exec(int fd) {
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(TcpTest, EverySocketIsNonBlockingAndClosedOnExec) {
  const Fd client = connected();
  const Fd server = accepted();
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  for (int fd : {listener_.get(), client.get(), server.get(), pair.first.get(), pair.second.get()}) {
    expect_nonblocking_and_close_on_exec(fd);
  }
}

TEST_F(TcpTest, BytesTravelBothWays) {
  const Fd client = connected();
  const Fd server = accepted();
  EXPECT_EQ(send(client.get(), bytes("ping")).value(), 4u);
  EXPECT_EQ(received(server.get()), "ping");
  EXPECT_EQ(send(server.get(), bytes("pong!")).value(), 5u);
  EXPECT_EQ(received(client.get()), "pong!");
}

TEST_F(TcpTest, AcceptTellsThePeersAddress) {
  const Fd client = connected();
  RawAddress peer;
  const Fd server = accepted(&peer);
  EXPECT_EQ(peer.family(), AF_INET);
  EXPECT_EQ(peer.size(), sizeof(sockaddr_in));
  EXPECT_EQ(port_of(peer), port_of(local_address(client.get()).value()));
  EXPECT_EQ(port_of(peer), port_of(peer_address(server.get()).value()));
}

TEST_F(TcpTest, NothingToAcceptOrToReadWouldBlock) {
  EXPECT_TRUE(would_block(accept(listener_.get()).error()));
  const Fd client = connected();
  std::array<std::byte, 8> buffer;
  EXPECT_TRUE(would_block(recv(client.get(), buffer).error()));
}

TEST_F(TcpTest, AFullSocketWouldBlock) {
  const Fd client = connected();
  const std::vector<std::byte> chunk(1 << 20);
  Result<std::size_t> sent = std::size_t{0};
  for (int i = 0; i < 100 && sent; ++i) sent = send(client.get(), chunk);
  EXPECT_TRUE(would_block(sent.error()));
}

TEST_F(TcpTest, ShutdownIsTheEndOfTheStream) {
  const Fd client = connected();
  const Fd server = accepted();
  EXPECT_TRUE(sys::shutdown(client.get(), SHUT_WR));
  EXPECT_EQ(received(server.get()), "");
}

TEST_F(TcpTest, SendingToAClosedPeerIsAnErrorNotASignal) {
  Fd client = connected();
  const Fd server = accepted();
  ASSERT_TRUE(set_linger(client.get(), std::chrono::seconds(0)));
  client.reset();
  wait_for(server.get(), POLLHUP);
  EXPECT_EQ(send(server.get(), bytes("x")).error(), std::errc::connection_reset);
  EXPECT_EQ(send(server.get(), bytes("x")).error(), std::errc::broken_pipe);
}

TEST_F(TcpTest, ARefusedConnectionIsReportedByItsResult) {
  listener_.reset();
  const Fd client = create_socket(AF_INET, SOCK_STREAM).value();
  const Result<bool> started = connect(client.get(), address_);
  std::error_code error = started.error();
  if (started) {
    EXPECT_FALSE(*started);
    wait_for(client.get(), POLLOUT);
    error = connect_result(client.get()).error();
  }
  EXPECT_EQ(error, std::errc::connection_refused);
}

TEST_F(TcpTest, AnInterruptedConnectGoesOn) {
  const Fd client = create_socket(AF_INET, SOCK_STREAM).value();
  FaultPlan faults;
  faults.fail(Call::connect, EINTR);
  EXPECT_FALSE(connect(client.get(), address_).value());
}

TEST_F(TcpTest, VectoredCallsGatherAndScatter) {
  const Fd client = connected();
  const Fd server = accepted();
  const std::array<iovec, 2> data = {to_iovec(bytes("he")), to_iovec(bytes("llo"))};
  EXPECT_EQ(send_vectored(client.get(), data).value(), 5u);
  wait_for(server.get(), POLLIN);
  std::array<char, 4> one{};
  std::array<char, 4> two{};
  const std::array<iovec, 2> buffers = {to_iovec(std::as_writable_bytes(std::span(one)).first(3)),
                                        to_iovec(std::as_writable_bytes(std::span(two)).first(3))};
  EXPECT_EQ(recv_vectored(server.get(), buffers).value(), 5u);
  EXPECT_STREQ(one.data(), "hel");
  EXPECT_STREQ(two.data(), "lo");
}

TEST_F(TcpTest, MoreBuffersThanOneCallTakesAreSentInPart) {
  const Fd client = connected();
  const std::vector<iovec> many(3000, to_iovec(bytes("x")));
  EXPECT_EQ(send_vectored(client.get(), many).value(), kBuffersMax);
}

TEST_F(TcpTest, AcceptFailsAsTheKernelSays) {
  const Fd client = connected();
  FaultPlan faults;
  for (int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED}) {
    faults.fail(Call::accept, error);
    EXPECT_TRUE(is_errno(accept(listener_.get()).error(), error)) << error;
  }
  EXPECT_TRUE(accepted()) << "the connection is still there";
}

TEST_F(TcpTest, AcceptRetriesWhenInterrupted) {
  const Fd client = connected();
  wait_for(listener_.get(), POLLIN);
  FaultPlan faults;
  faults.fail(Call::accept, EINTR, {.times = 2});
  EXPECT_TRUE(accept(listener_.get()));
}

TEST_F(TcpTest, ShortCountsCanBeInjected) {
  const Fd client = connected();
  const Fd server = accepted();
  FaultPlan faults;
  faults.shorten(Call::send, 2);
  faults.shorten(Call::recv, 1);
  faults.fail(Call::recv, EINTR);
  EXPECT_EQ(send(client.get(), bytes("abc")).value(), 2u);
  EXPECT_EQ(received(server.get()), "a");
  EXPECT_EQ(received(server.get()), "b");
}

TEST(Socket, RunningOutOfNumbersOrMemoryIsReported) {
  FaultPlan faults;
  for (int error : {EMFILE, ENFILE, ENOMEM}) {
    faults.fail(Call::socket, error, {.times = 2});
    EXPECT_TRUE(is_errno(create_socket(AF_INET, SOCK_STREAM).error(), error));
    EXPECT_TRUE(is_errno(create_socket_pair(SOCK_STREAM).error(), error));
  }
}

TEST(Socket, ErrorsCarryTheErrnoOfTheKernel) {
  std::array<std::byte, 1> buffer{};
  EXPECT_TRUE(is_errno(create_socket(-1, SOCK_STREAM).error(), EAFNOSUPPORT));
  EXPECT_TRUE(is_errno(bind(-1, loopback(0)).error(), EBADF));
  EXPECT_TRUE(is_errno(listen(-1, 1).error(), EBADF));
  EXPECT_TRUE(is_errno(accept(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(connect(-1, loopback(0)).error(), EBADF));
  EXPECT_TRUE(is_errno(connect_result(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(recv(-1, buffer).error(), EBADF));
  EXPECT_TRUE(is_errno(send(-1, buffer).error(), EBADF));
  EXPECT_TRUE(is_errno(sys::shutdown(-1, SHUT_RD).error(), EBADF));
  EXPECT_TRUE(is_errno(local_address(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(peer_address(-1).error(), EBADF));
}

TEST(Socket, ADatagramKeepsItsBoundaryAndMayBeEmpty) {
  const SocketPair pair = create_socket_pair(SOCK_DGRAM).value();
  EXPECT_EQ(send(pair.first.get(), bytes("one")).value(), 3u);
  EXPECT_EQ(send(pair.first.get(), bytes("")).value(), 0u);
  EXPECT_EQ(received(pair.second.get()), "one");
  EXPECT_EQ(received(pair.second.get()), "");
}

TEST(Socket, TheGeneralFormsPassControlMessages) {
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec data = to_iovec(bytes("x"));
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = pair.first.get();
  std::memcpy(CMSG_DATA(header), &passed, sizeof(passed));
  EXPECT_EQ(sendmsg(pair.first.get(), message).value(), 1u);

  std::array<std::byte, 4> buffer;
  iovec into = to_iovec(std::span<std::byte>(buffer));
  control = {};
  msghdr reply{};
  reply.msg_iov = &into;
  reply.msg_iovlen = 1;
  reply.msg_control = control.data();
  reply.msg_controllen = control.size();
  EXPECT_EQ(recvmsg(pair.second.get(), reply, MSG_CMSG_CLOEXEC).value(), 1u);
  int taken = -1;
  ASSERT_NE(CMSG_FIRSTHDR(&reply), nullptr);
  std::memcpy(&taken, CMSG_DATA(CMSG_FIRSTHDR(&reply)), sizeof(taken));
  EXPECT_GE(taken, 0);
  close(taken);
}

}  // namespace
}  // namespace weft::sys
