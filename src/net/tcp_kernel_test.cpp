// SPDX-License-Identifier: Apache-2.0
// What only sockets of the kernel can do: options, families, resets, connects that take their time.
#include "event_loop/descriptor/descriptor_use.hpp"
#include "support/any_context.hpp"
#include "support/gate.hpp"
#include "support/sockets.hpp"
#include "support/tcp.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <array>
#include <fcntl.h>
#include <memory>
#include <thread>
#include <vector>

namespace weft::net {
namespace {

using namespace std::chrono_literals;
using sys::Call;
using test::read_text;
using test::Streams;

class TcpOfTheKernel : public test::InAnyContext {};

TEST_P(TcpOfTheKernel, IPv6Works) {
  run([] {
    Streams ends("[::1]:0");
    EXPECT_EQ(ends.client.peer_address().value().to_string().substr(0, 6), "[::1]:");
    EXPECT_TRUE(ends.client.write_all("six"));
    EXPECT_TRUE(ends.server.wait_readable());
    EXPECT_EQ(read_text(ends.server).value(), "six");
  });
}

TEST_P(TcpOfTheKernel, AListenerAtTheIPv6WildcardTakesIPv4Too) {
  run([] {
    auto listener = TcpListener::bind("[::]:0").value();
    const std::uint16_t port = listener.local_address().value().port();
    for (const IpAddress& ip : {IpAddress::v4_loopback(), IpAddress::v6_loopback()}) {
      auto client = TcpStream::connect(SocketAddress(ip, port)).value();
      auto server = listener.accept().value();
      EXPECT_TRUE(client.write_all("x"));
      EXPECT_EQ(read_text(server).value(), "x");
    }
  });
}

// A kernel booted with ipv6.disable=1 knows no such socket; one with disable_ipv6=1 no such address.
TEST_P(TcpOfTheKernel, AListenerAtNoAddressIsOneOfIPv4WhereThereIsNoIPv6) {
  run([] {
    for (const auto& [call, error] : {std::pair(Call::socket, EAFNOSUPPORT), {Call::bind, EADDRNOTAVAIL}}) {
      sys::FaultPlan faults;
      faults.fail(call, error);
      auto listener = TcpListener::bind(":0").value();
      EXPECT_EQ(faults.applied(), 1u);
      const SocketAddress address = listener.local_address().value();
      EXPECT_EQ(address.ip(), IpAddress::v4_any());
      auto client = TcpStream::connect(SocketAddress(IpAddress::v4_loopback(), address.port())).value();
      EXPECT_TRUE(listener.accept());
    }
  });
}

TEST_P(TcpOfTheKernel, AListenerAtAnIPv6AddressStaysOne) {
  run([] {
    sys::FaultPlan faults;
    faults.fail(Call::socket, EAFNOSUPPORT);
    EXPECT_TRUE(sys::is_errno(TcpListener::bind("[::1]:0").error(), EAFNOSUPPORT));
  });
}

TEST_P(TcpOfTheKernel, OptionsAreSetAndRead) {
  run([] {
    Streams ends;
    for (TcpStream* stream : {&ends.client, &ends.server}) {
      EXPECT_TRUE(stream->no_delay().value());
      EXPECT_TRUE(stream->set_no_delay(false));
      EXPECT_FALSE(stream->no_delay().value());
      EXPECT_TRUE(stream->set_send_buffer_size(32 << 10));
      EXPECT_EQ(stream->send_buffer_size().value(), 64 << 10);
      EXPECT_TRUE(stream->set_receive_buffer_size(32 << 10));
      EXPECT_EQ(stream->receive_buffer_size().value(), 64 << 10);
      EXPECT_TRUE(stream->set_keep_alive(30s));
      EXPECT_TRUE(stream->set_keep_alive(std::nullopt));
      EXPECT_GE(stream->native_handle(), 0);
    }
  });
}

TEST_P(TcpOfTheKernel, ALingerOfZeroResetsThePeer) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.set_linger(0s));
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(read_text(ends.server).error(), sys::error_of(ECONNRESET));
  });
}

/// A listener whose queue is full: the kernel leaves the next connect unanswered.
struct FullListener {
  sys::Fd listener = test::listening_socket(0);
  std::vector<test::Far> waiting;
  SocketAddress address{IpAddress::v4_loopback(),
                        ntohs(test::address_of(listener).as<sockaddr_in>().sin_port)};

  FullListener() {
    for (int i = 0; i < 4; ++i) waiting.push_back(test::connect_to(test::address_of(listener)));
  }
};

TEST_P(TcpOfTheKernel, AConnectGivesUpAtItsDeadline) {
  const FullListener full;
  sys::CallCounter counter;
  run([&] { EXPECT_EQ(TcpStream::connect(full.address, Deadline::after(20ms)).error(), Errc::timed_out); });
  EXPECT_EQ(counter.counts()[Call::close], 1u);
}

TEST_P(TcpOfTheKernel, AConnectCanBeCancelled) {
  const FullListener full;
  sys::CallCounter counter;
  auto connecting = context.spawn([&] { return TcpStream::connect(full.address).error(); });
  test::eventually([&] { return counter.counts()[Call::epoll_add] == 1; }, "the connect's wait");
  connecting.cancel();
  EXPECT_EQ(connecting.join_uncancellable(), Errc::cancelled);
  EXPECT_EQ(counter.counts()[Call::close], 1u);
}

TEST_P(TcpOfTheKernel, AConnectThatCannotBeRegisteredFailsAndGivesItsNumberBack) {
  const FullListener full;
  sys::CallCounter counter;
  sys::FaultPlan faults;
  faults.fail(Call::epoll_add, ENOSPC, {.times = sys::FaultRange::kAlways});  // at open, and at the wait
  run([&] { EXPECT_EQ(TcpStream::connect(full.address).error(), sys::error_of(ENOSPC)); });
  EXPECT_EQ(counter.counts()[Call::close], 1u);
}

TEST_P(TcpOfTheKernel, ErrorsOfTheSocketCallsAreTheCallers) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    const SocketAddress address = listener.local_address().value();
    for (const auto& [call, error] :
         {std::pair(Call::socket, EMFILE), std::pair(Call::connect, ENETUNREACH)}) {
      sys::FaultPlan faults;
      faults.fail(call, error);
      EXPECT_EQ(TcpStream::connect(address).error(), sys::error_of(error));
    }
    sys::FaultPlan faults;
    faults.fail(Call::recv, ECONNRESET);
    faults.fail(Call::send, ENOBUFS);
    Streams ends;
    EXPECT_EQ(read_text(ends.client).error(), sys::error_of(ECONNRESET));
    EXPECT_EQ(ends.client.write_all("x").error(), sys::error_of(ENOBUFS));
  });
}

TEST_P(TcpOfTheKernel, ShortCountsAndInterruptionsDoNotShow) {
  run([] {
    Streams ends;
    sys::FaultPlan faults;
    faults.shorten(Call::sendmsg, 1, {.times = sys::FaultRange::kAlways});
    faults.shorten(Call::send, 3, {.times = sys::FaultRange::kAlways});
    faults.fail(Call::recv, EINTR, {.times = 2});
    // No short receives: of a TCP socket they say that it is drained (L2), and the kernel keeps to that.
    const std::string text = "a text that is sent in pieces";
    EXPECT_EQ(ends.client.write_all(text).bytes(), text.size());
    const std::array<std::span<const std::byte>, 2> parts{test::bytes("to"), test::bytes("gether")};
    EXPECT_EQ(ends.client.write_all(parts).bytes(), 8u);
    std::string received(text.size() + 8, '\0');
    EXPECT_TRUE(ends.server.read_exact(std::as_writable_bytes(std::span(received))));
    EXPECT_EQ(received, text + "together");
  });
}

TEST_P(TcpOfTheKernel, AStreamIsUsedFromAnotherContextAndComesBack) {
  ConcurrentContext other("other");
  run([&] {
    Streams ends;
    for (int round = 0; round < 3; ++round) {
      auto there = other.spawn([&] { return read_text(ends.server).value(); });
      EXPECT_TRUE(ends.client.write_all("there"));
      EXPECT_EQ(there.join_uncancellable(), "there");
      auto here = spawn([&] { return read_text(ends.server).value(); });
      EXPECT_TRUE(ends.client.write_all("here"));
      EXPECT_EQ(here.join_uncancellable(), "here");
    }
  });
}

TEST_P(TcpOfTheKernel, ADestructorOnAPlainThreadWaitsForOperationsInFlight) {
  std::unique_ptr<Streams> ends;
  run([&] { ends = std::make_unique<Streams>(); });
  const int number = ends->server.native_handle();
  test::Window window;
  sys::FaultPlan faults;
  faults.run(Call::recv, [&](int) { window.hold(); }, {.fd = number});
  // The first to read a new connection tries, and is held in the middle of it; the other one comes later.
  auto reader = context.spawn([&server = ends->server] { return read_text(server).error(); });
  window.entered.wait();
  auto second = context.spawn([&server = ends->server] { return read_text(server).error(); });
  std::thread closer([&] { EXPECT_TRUE(ends->server.close()); });
  window.leave.open();
  closer.join();
  EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
  EXPECT_EQ(second.join_uncancellable(), Errc::closed);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

// One byte a step: the deadline, which has passed, is looked at after the first.
TEST_P(TcpOfTheKernel, WholeBuffersLookAtTheirDeadlineAfterEachStep) {
  run([] {
    test::Streams ends;
    EXPECT_TRUE(ends.server.write_all("0123456789"));
    ASSERT_TRUE(ends.client.wait_readable());
    sys::FaultPlan faults;
    for (const Call call : {Call::recv, Call::send, Call::sendmsg})
      faults.shorten(call, 1, {.times = sys::FaultRange::kAlways, .fd = ends.client.native_handle()});
    yield();  // a new budget
    const Deadline passed = Deadline::after(-1s);
    std::array<std::byte, 10> buffer;
    const std::span<const std::byte> several[] = {buffer, buffer};
    const io::Progress results[] = {ends.client.read_exact_until(buffer, passed),
                                    ends.client.write_all_until(std::span<const std::byte>(buffer), passed),
                                    ends.client.write_all_until(several, passed)};
    for (const io::Progress& result : results) {
      EXPECT_EQ(result.error(), Errc::timed_out);
      EXPECT_EQ(result.bytes(), 1u);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Contexts, TcpOfTheKernel, test::kernel_contexts(), test::kind_name);

TEST(TcpDeathTest, ACallOutsideOfAFiberIsABugThatNamesTheCall) {
  TcpStream stream;
  std::array<std::byte, 1> buffer;
  const std::string where = "\\(\\) outside of every fiber: call it inside weft::run";
  const std::string of_a_stream = "\\(\\) of a stream outside of every fiber: call it inside weft::run";
  EXPECT_DEATH(static_cast<void>(stream.read_some(buffer)), "read_some" + of_a_stream);
  EXPECT_DEATH(static_cast<void>(stream.write_all("x")), "write_all" + of_a_stream);
  EXPECT_DEATH(static_cast<void>(TcpStream::connect(SocketAddress())), "TcpStream::connect" + where);
  EXPECT_DEATH(static_cast<void>(TcpListener::bind("127.0.0.1:0")), "TcpListener::bind" + where);
}

}  // namespace
}  // namespace weft::net
