// SPDX-License-Identifier: Apache-2.0
// Law L11: files that weft shares with other code, or that other code puts in the place of its own.
#include "support/laws.hpp"

#include <weft/net/tcp_listener.hpp>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <string>
#include <unistd.h>

namespace weft::test {
namespace {

/// The numbers of the files that are open now.
std::set<int> open_files() {
  std::set<int> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    files.insert(std::stoi(entry.path().filename()));
  return files;
}

TEST(LawsOfForeignFiles, L11_EveryFileThatWeftOpensIsClosedOnExec) {
  const std::set<int> before = open_files();
  ParallelContext context("context", {.parallelism = 2});
  const Connection connection = tcp_connection();
  auto reader = context.spawn([&] { return connection.near.read(); });
  connection.near.until_awaited(Direction::kRead);
  for (const int fd : open_files()) {
    if (before.contains(fd)) continue;
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) continue;  // the list's own
    EXPECT_NE(flags & FD_CLOEXEC, 0) << "descriptor " << fd;
  }
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  EXPECT_TRUE(connection.near.close());
}

/// The fiber waits, and the kernel has been told of the descriptor.
void until_registered(const Near& near, const ExecutionContext& context) {
  near.until_awaited(Direction::kRead);
  eventually([&] { return near.owner() == loop_id(context); }, "the end of the registration");
}

// The kernel forgets the registration of a file that dup2() has closed, and tells nobody.
TEST_F(Laws, L11_AFilePutOverARegisteredNumberLeavesItsWaitersToCloseAndHarmsNobodyElse) {
  const Connection connection = tcp_connection();
  const int number = connection.near.fd();
  auto reader = a.spawn([&] { return connection.near.read().error(); });
  until_registered(connection.near, a);
  const sys::Fd other = sys::open("/dev/null", O_RDONLY).value();
  ASSERT_EQ(::dup2(other.get(), number), number);
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_GE(::fcntl(other.get(), F_GETFD), 0);
  // The next file may have the number: its record is another one, and it is registered anew.
  const Connection next = tcp_connection();
  auto next_reader = a.spawn([&] { return next.near.read(); });
  next.near.until_awaited(Direction::kRead);
  next.far.send("n");
  EXPECT_EQ(next_reader.join_uncancellable().value(), "n");
  EXPECT_TRUE(next.near.close());
}

TEST_F(Laws, L11_ASecondRecordOfOneNumberGetsTheKernelsErrorAndDisturbsNobody) {
  const Connection connection = tcp_connection();
  auto reader = a.spawn([&] { return connection.near.read(); });
  until_registered(connection.near, a);
  const Near second{adopt(sys::Fd(connection.near.fd()), DescriptorKind::kStream)};
  const std::error_code error =
      a.spawn([&] { return second.read(1, Deadline::after(kPatience)).error(); }).join_uncancellable();
  EXPECT_EQ(error, std::errc::file_exists);
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  // Each record closes a file of its own.
  second.handle.descriptor->fd = sys::duplicate(second.fd()).value().release();
  EXPECT_TRUE(second.close());
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L11_TwoListenersOfOneSocketAreBothWoken) {
  a.spawn([] {
     auto first = net::TcpListener::bind("127.0.0.1:0").value();
     auto second = first.duplicate().value();
     EXPECT_NE(first.native_handle(), second.native_handle());
     auto one = spawn([&] { return first.accept().has_value(); });
     auto two = spawn([&] { return second.accept().has_value(); });
     const net::SocketAddress address = first.local_address().value();
     auto client = net::TcpStream::connect(address).value();
     auto other_client = net::TcpStream::connect(address).value();
     EXPECT_TRUE(one.join_uncancellable());
     EXPECT_TRUE(two.join_uncancellable());
   }).join_uncancellable();
}

TEST_F(Laws, L11_AFileThatIsNoListenerIsRefusedAndStaysAsItWas) {
  a.spawn([] {
     const sys::Fd file = sys::open("/proc/self/exe", O_RDONLY).value();
     EXPECT_EQ(net::TcpListener::adopt(file.get()).error(), std::errc::not_a_socket);
     const sys::SocketPair pair = sys::create_socket_pair(SOCK_STREAM).value();
     ASSERT_TRUE(sys::set_nonblocking(pair.first.get(), false));
     EXPECT_EQ(net::TcpListener::adopt(pair.first.get()).error(), std::errc::address_family_not_supported);
     EXPECT_FALSE(sys::is_nonblocking(pair.first.get()).value());
     EXPECT_GE(::fcntl(file.get(), F_GETFD), 0);
   }).join_uncancellable();
}

}  // namespace
}  // namespace weft::test
