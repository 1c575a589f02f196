// SPDX-License-Identifier: Apache-2.0
// Law L9: close is exact.
#include "io/kernel_network.hpp"
#include "support/laws.hpp"

#include <fcntl.h>
#include <thread>

namespace weft::test {
namespace {

using sys::Call;

bool number_is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST_F(Laws, L9_CloseWakesWaitersOnBothSidesAndInBothContexts) {
  const Connection connection = tcp_connection();
  auto reader = a.spawn([&] { return connection.near.read().error(); });
  connection.near.until_awaited(Direction::kRead);
  auto writer = b.spawn([&] { return connection.near.write_until_it_fails(); });
  connection.near.until_awaited(Direction::kWrite);
  const int number = connection.near.fd();
  EXPECT_TRUE(connection.near.close());
  EXPECT_FALSE(number_is_open(number));
  EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_F(Laws, L9_TheNumberIsGivenBackOnlyWhenTheLastOperationHasLeft) {
  const Connection connection = tcp_connection();
  const int number = connection.near.fd();
  connection.far.send("hers");
  Window window;  // the operation is in flight: it has the number, and has not called the kernel yet
  sys::FaultPlan faults;
  faults.run(Call::recv, [&](int) { window.hold(); }, {.fd = number});
  auto reader = a.spawn([&] { return connection.near.read(); });
  window.entered.wait();
  auto closer = b.spawn([&] { return connection.near.close(); });
  eventually([&] { return connection.near.handle.descriptor->usage.closing(); }, "close()");
  EXPECT_TRUE(number_is_open(number));
  const Connection other = unix_connection();
  EXPECT_NE(other.near.fd(), number);
  EXPECT_FALSE(closer.done());
  window.leave.open();
  EXPECT_EQ(reader.join_uncancellable().value(), "hers");
  EXPECT_TRUE(closer.join_uncancellable());
  EXPECT_FALSE(number_is_open(number));
  EXPECT_TRUE(other.near.close());
}

TEST_F(Laws, L9_OnlyOneOfManyClosersClosesAndTheFileEndsOnce) {
  for (int round = 0; round < 200; ++round) {
    const Connection connection = unix_connection();
    auto in_a = a.spawn([&] { return connection.near.close(); });
    auto in_b = b.spawn([&] { return connection.near.close(); });
    const Result<void> here = connection.near.close();
    const Result<void> first = in_a.join_uncancellable();
    const Result<void> second = in_b.join_uncancellable();
    EXPECT_EQ(int{here.has_value()} + int{first.has_value()} + int{second.has_value()}, 1);
    for (const Result<void>& result : {here, first, second}) {
      EXPECT_TRUE(result || result.error() == Errc::closed);
    }
  }
}

// Each round the number is the same. Operations on the old file must never take a byte of the new one.
TEST_F(Laws, L9_OperationsInFlightNeverHitTheNextFileWithTheNumber) {
  ParallelContext pair("pair", {.parallelism = 2});
  for (int round = 0; round < 500; ++round) {
    const Connection old = unix_connection();
    auto reader = pair.spawn([&] {
      while (const auto text = old.near.read(1)) EXPECT_EQ(*text, "o");
    });
    old.far.send("oo");
    EXPECT_TRUE(old.near.close());
    const Connection next = unix_connection();
    next.far.send("n");
    reader.join_uncancellable();
    a.spawn([&] { EXPECT_EQ(next.near.read(1).value(), "n"); }).join_uncancellable();
    EXPECT_TRUE(next.near.close());
  }
}

TEST_F(Laws, L9_EveryOperationAfterCloseFails) {
  const Connection connection = tcp_connection();
  EXPECT_TRUE(connection.near.close());
  a.spawn([&] {
     const DescriptorHandle handle = connection.near.handle;
     EXPECT_EQ(connection.near.read().error(), Errc::closed);
     EXPECT_EQ(connection.near.write("x").error(), Errc::closed);
     EXPECT_EQ(kernel_network().accept(handle, {}).error(), Errc::closed);
     EXPECT_EQ(Files::wait_ready(handle, Direction::kWrite, {}).error(), Errc::closed);
     EXPECT_EQ(Files::local_address(handle).error(), Errc::closed);
     EXPECT_EQ(Files::peer_address(handle).error(), Errc::closed);
     EXPECT_EQ(connection.near.close().error(), Errc::closed);
   }).join_uncancellable();
}

}  // namespace
}  // namespace weft::test
