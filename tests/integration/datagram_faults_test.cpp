// SPDX-License-Identifier: Apache-2.0
// What datagrams cost in system calls, and what becomes of each call that fails.
#include "sys/fault.hpp"

#include <weft/execution_context.hpp>
#include <weft/net/udp_socket.hpp>
#include <weft/net/unix_datagram.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using net::UdpSocket;
using sys::Call;

std::error_code kernel(int number) { return {number, std::system_category()}; }

class DatagramFaults : public testing::Test {
 protected:
  /// Runs `body` as a fiber.
  template <class Body>
  void run(Body body) {
    context.spawn(body).join_uncancellable();
  }

  ConcurrentContext context{"datagrams"};
};

TEST_F(DatagramFaults, AnExchangeWithoutAWaitIsOneCallForEachDatagram) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    UdpSocket b = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress to = b.local_address().value();
    char buffer[16];
    sys::CallCounter counter;
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(a.send_to("x", to));
      ASSERT_TRUE(b.receive_from(buffer));
    }
    const sys::CallCounts counts = counter.counts();
    EXPECT_EQ(counts[Call::send], 10u);
    EXPECT_EQ(counts[Call::recv], 10u);
    EXPECT_EQ(counts.epoll_ctl(), 0u);
    EXPECT_EQ(counts[Call::sendmsg] + counts[Call::recvmsg] + counts[Call::poll], 0u);
  });
}

TEST_F(DatagramFaults, ABatchIsOneCallAndAShortOneNeedsNoOther) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    UdpSocket b = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress to = b.local_address().value();
    net::SendBatch out(16);
    net::ReceiveBatch in(16, 64);
    // The first wait registers.
    EXPECT_EQ(b.receive_batch_until(in, 1ms).error(), Errc::timed_out);
    sys::CallCounter counter;
    for (int round = 0; round < 5; ++round) {
      auto receiver = spawn([&] { return b.receive_batch(in); });
      yield();
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(out.add("x", to));
      ASSERT_TRUE(a.send_batch(out));
      EXPECT_EQ(receiver.join_uncancellable().value(), 10u);
    }
    const sys::CallCounts counts = counter.counts();
    EXPECT_EQ(counts[Call::sendmmsg], 5u);
    EXPECT_EQ(counts[Call::recvmmsg], 5u) << "a short batch empties the socket: the next one waits at once";
    EXPECT_EQ(counts.epoll_ctl(), 0u);
    EXPECT_EQ(counts[Call::send] + counts[Call::recv] + counts[Call::poll], 0u);
  });
}

TEST_F(DatagramFaults, AFullBatchWakesTheNextReceiver) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    UdpSocket b = UdpSocket::bind("127.0.0.1:0").value();
    std::vector<JoinHandle<std::size_t>> receivers;
    for (int i = 0; i < 3; ++i) {
      receivers.push_back(spawn([&] {
        net::ReceiveBatch in(2, 64);
        return b.receive_batch_until(in, 10s).value_or(0);
      }));
    }
    yield();
    net::SendBatch out(6);
    for (int i = 0; i < 6; ++i) out.add("x", b.local_address().value());
    ASSERT_TRUE(a.send_batch(out));
    for (auto& each : receivers) EXPECT_EQ(each.join_uncancellable(), 2u);
  });
}

// recvmmsg stops at an error, too, and its edge may have come before: from then on a short batch says
// nothing.
TEST_F(DatagramFaults, AfterARefusalAShortBatchProvesNothing) {
  run([] {
    UdpSocket server = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress at = server.local_address().value();
    UdpSocket client = UdpSocket::connect(at).value();
    net::ReceiveBatch in(4, 64);
    ASSERT_TRUE(server.close());
    auto receiver = spawn([&] { return client.receive_batch(in).error(); });
    yield();
    ASSERT_TRUE(client.send("anybody?"));
    EXPECT_EQ(receiver.join_uncancellable(), kernel(ECONNREFUSED)) << "woken by the edge";
    server = UdpSocket::bind(at).value();
    ASSERT_TRUE(server.send_to("x", client.local_address().value()));
    sys::CallCounter counter;
    EXPECT_EQ(client.receive_batch(in).value(), 1u);
    const std::uint64_t before = counter.counts()[Call::recvmmsg];
    EXPECT_EQ(client.receive_batch_until(in, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(counter.counts()[Call::recvmmsg], before + 1) << "it looks once more";
  });
}

TEST_F(DatagramFaults, AnInterruptedCallIsRepeated) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress self = a.local_address().value();
    sys::FaultPlan faults;
    for (const Call call : {Call::send, Call::recv, Call::sendmmsg, Call::recvmmsg})
      faults.fail(call, EINTR, {.times = 2});
    char buffer[16];
    ASSERT_TRUE(a.send_to("x", self));
    EXPECT_EQ(a.receive_from(buffer).value().size, 1u);
    net::SendBatch out(1);
    net::ReceiveBatch in(1, 16);
    out.add("x", self);
    ASSERT_TRUE(a.send_batch(out));
    EXPECT_EQ(a.receive_batch(in).value(), 1u);
    EXPECT_EQ(faults.applied(), 8u);
  });
}

TEST_F(DatagramFaults, EveryErrorOfTheKernelIsTheCallsAndTheSocketStaysUsable) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress self = a.local_address().value();
    net::SendBatch out(2);
    net::ReceiveBatch in(1, 16);  // a full one does not prove that the socket is empty: the next call is made
    char buffer[16];
    for (const int error : {ENOBUFS, ENOMEM, EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EMSGSIZE,
                            EINVAL, EIO, ENETDOWN, EAFNOSUPPORT}) {
      sys::FaultPlan faults;
      for (const Call call : {Call::send, Call::recv, Call::sendmmsg, Call::recvmmsg})
        faults.fail(call, error);
      EXPECT_EQ(a.send_to("x", self).error(), kernel(error));
      EXPECT_EQ(a.receive_from(buffer).error(), kernel(error));
      out.add("y", self);
      EXPECT_EQ(a.send_batch(out).error(), kernel(error));
      EXPECT_EQ(out.size(), 1u);
      EXPECT_EQ(a.receive_batch(in).error(), kernel(error));
      EXPECT_TRUE(in.empty());
      ASSERT_TRUE(a.send_to("x", self));
      EXPECT_EQ(a.receive_from(buffer).value().size, 1u);
      ASSERT_TRUE(a.send_batch(out));
      EXPECT_EQ(a.receive_batch(in).value(), 1u);
    }
  });
}

TEST_F(DatagramFaults, TheSameForDatagramsWithMarks) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0", {.arrival_address = true}).value();
    const net::SocketAddress self = a.local_address().value();
    const net::DatagramSendOptions marks{.traffic_class = net::TrafficClass{1, net::Ecn::kCapable0}};
    char buffer[16];
    for (const int error : {EINTR, ENOBUFS, ENOMEM, EPERM, ENETUNREACH, EMSGSIZE, EINVAL}) {
      sys::FaultPlan faults;
      faults.fail(Call::sendmsg, error);
      faults.fail(Call::recvmsg, error);
      const std::error_code expected = error == EINTR ? std::error_code() : kernel(error);
      EXPECT_EQ(a.send_to("x", self, marks).error(), expected);
      if (error != EINTR) {
        ASSERT_TRUE(a.send_to("x", self, marks));
      }
      EXPECT_EQ(a.receive_from(buffer).error(), expected);
      if (error != EINTR) {
        EXPECT_EQ(a.receive_from(buffer).value().size, 1u);
      }
      EXPECT_EQ(faults.applied(), 2u);
    }
  });
}

TEST_F(DatagramFaults, ABatchThatIsSentInPiecesIsSentWhole) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress self = a.local_address().value();
    sys::FaultPlan faults;
    faults.shorten(Call::sendmmsg, 1, {.times = sys::FaultRange::kAlways});
    net::SendBatch out(5);
    for (const char* text : {"1", "22", "333", "4444", "55555"}) out.add(text, self);
    ASSERT_TRUE(a.send_batch(out));
    EXPECT_EQ(faults.applied(), 5u);
    net::ReceiveBatch in(8, 16);
    ASSERT_EQ(a.receive_batch(in).value(), 5u);
    for (std::size_t i = 0; i < 5; ++i)
      EXPECT_EQ(static_cast<char>(in.bytes(i)[0]), static_cast<char>('1' + i));
  });
}

TEST_F(DatagramFaults, AnErrorInTheMiddleOfABatchLosesNothing) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress self = a.local_address().value();
    sys::FaultPlan faults;
    faults.shorten(Call::sendmmsg, 2);
    faults.fail(Call::sendmmsg, ENOBUFS);
    net::SendBatch out(4);
    for (const char* text : {"1", "22", "333", "4444"}) out.add(text, self);
    EXPECT_EQ(a.send_batch(out).error(), kernel(ENOBUFS));
    EXPECT_EQ(out.size(), 2u);
    ASSERT_TRUE(a.send_batch(out));
    net::ReceiveBatch in(8, 16);
    EXPECT_EQ(a.receive_batch(in).value(), 4u);
  });
}

TEST_F(DatagramFaults, NeighboursOfOneSizeAreOneMessageAndThoseThatFailAreSentOneByOne) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    if (!a.can_segment()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
    const net::SocketAddress self = a.local_address().value();
    const std::vector<std::string> texts{"aa", "bb", "c", "dd", "", "ee", "ff", "gg"};
    net::ReceiveBatch in(16, 16);
    for (const int error : {0, EINVAL, EIO, EMSGSIZE}) {
      sys::FaultPlan faults;
      if (error != 0) faults.fail(Call::sendmmsg, error);
      net::SendBatch out(16);
      for (const std::string& text : texts) out.add(text, self);
      ASSERT_TRUE(a.send_batch(out)) << error;
      for (std::size_t i = 0; i < texts.size();) {
        const std::size_t count = a.receive_batch(in).value();
        for (std::size_t j = 0; j < count; ++j, ++i)
          EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(in.bytes(j).data()), in.bytes(j).size()),
                    texts[i]);
      }
    }
    sys::FaultPlan faults;
    faults.fail(Call::sendmmsg, ENOBUFS);
    net::SendBatch out(16);
    for (const std::string& text : texts) out.add(text, self);
    EXPECT_EQ(a.send_batch(out).error(), kernel(ENOBUFS));
    EXPECT_EQ(out.size(), texts.size()) << "all of the message are left";
    faults.shorten(Call::sendmmsg, 1);
    faults.fail(Call::sendmmsg, ENOBUFS);
    EXPECT_EQ(a.send_batch(out).error(), kernel(ENOBUFS));
    EXPECT_EQ(out.size(), texts.size() - 3) << "the first message holds three";
  });
}

// The kernel has no room: the sender waits for the edge, until its deadline.
TEST_F(DatagramFaults, ASenderWithoutRoomWaits) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    const net::SocketAddress self = a.local_address().value();
    net::SendBatch out(2);
    out.add("1", self);  // of other sizes: they are not one message
    out.add("22", self);
    {
      sys::FaultPlan faults;
      faults.fail(Call::send, EAGAIN, {.times = sys::FaultRange::kAlways});
      EXPECT_EQ(a.send_to_until("x", self, 1ms).error(), Errc::timed_out);
      auto sender = spawn([&] { return a.send_to("x", self).error(); });
      yield();
      sender.cancel();
      EXPECT_EQ(sender.join_uncancellable(), Errc::cancelled);
      UdpSocket b = UdpSocket::bind("127.0.0.1:0").value();  // one that has not been found full
      faults.shorten(Call::sendmmsg, 1);
      faults.fail(Call::sendmmsg, EAGAIN, {.times = sys::FaultRange::kAlways});
      EXPECT_EQ(b.send_batch_until(out, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(out.size(), 1u) << "one of them was sent";
    }
    char buffer[16];
    EXPECT_EQ(a.receive_from(buffer).value().size, 1u);
    EXPECT_EQ(buffer[0], '1');
    EXPECT_EQ(a.receive_from_until(buffer, 1ms).error(), Errc::timed_out) << "none was sent by half";
  });
}

TEST_F(DatagramFaults, WhatCannotBeOpenedIsNamedAndLeavesNothingOpen) {
  run([] {
    for (const auto& [call, error] :
         {std::pair{Call::socket, EMFILE}, std::pair{Call::socket, ENFILE}, std::pair{Call::socket, ENOBUFS},
          std::pair{Call::bind, EACCES}, std::pair{Call::set_option, ENOPROTOOPT}}) {
      sys::CallCounter counter;
      sys::FaultPlan faults;
      faults.fail(call, error);
      const Result<UdpSocket> socket = UdpSocket::bind("127.0.0.1:0", {.reuse_address = true});
      EXPECT_EQ(socket.error(), kernel(error));
      EXPECT_NE(socket.message().find("127.0.0.1:0"), std::string::npos) << socket.message();
      EXPECT_EQ(counter.counts()[Call::close], call == Call::socket ? 0u : 1u);
    }
    sys::FaultPlan faults;
    faults.fail(Call::connect, ENETUNREACH);
    EXPECT_EQ(UdpSocket::connect("127.0.0.1:9").error(), kernel(ENETUNREACH));
  });
}

TEST_F(DatagramFaults, AKernelWithoutSegmentsIsUnsupportedAndNothingIsSent) {
  run([] {
    UdpSocket a = UdpSocket::bind("127.0.0.1:0").value();
    sys::FaultPlan faults;
    faults.fail(Call::get_option, ENOPROTOOPT, {.times = sys::FaultRange::kAlways});
    faults.fail(Call::set_option, ENOPROTOOPT, {.times = sys::FaultRange::kAlways});
    EXPECT_FALSE(a.can_segment());
    const net::SocketAddress self = a.local_address().value();
    sys::CallCounter counter;
    EXPECT_EQ(a.send_to("xxxx", self, {.segment_size = 2}).error(), Errc::unsupported);
    net::SendBatch out(1);
    out.add("xxxx", self, {.segment_size = 2});
    EXPECT_EQ(a.send_batch(out).error(), Errc::unsupported);
    EXPECT_EQ(counter.counts()[Call::sendmsg] + counter.counts()[Call::sendmmsg], 0u);
    EXPECT_EQ(UdpSocket::bind("127.0.0.1:0", {.coalesce = true}).error(), Errc::unsupported);
  });
}

TEST_F(DatagramFaults, FilesThatThisProcessMayNotOpenAreToldAndNoneLeaks) {
  run([] {
    auto pair = net::UnixDatagram::pair().value();
    const std::vector<int> four(4, 0);
    ASSERT_TRUE(pair.first.send_with_files("x", four));
    // Two numbers are left.
    const int lowest = ::dup(0);
    ASSERT_GE(lowest, 0);
    const int second = ::dup(0);
    ::close(lowest);
    ::close(second);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit two{.rlim_cur = static_cast<rlim_t>(std::max(lowest, second) + 1),
                     .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &two), 0);
    net::PassedFiles files;
    char buffer[4];
    const auto received = pair.second.receive_with_files(buffer, files);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->size, 1u) << "the bytes are there";
    EXPECT_TRUE(files.truncated());
    EXPECT_EQ(files.size(), 2u);
  });
}

TEST_F(DatagramFaults, ASenderThatCannotWaitForRoomSaysWhy) {
  run([] {
    const std::string name = "@weft-datagram-faults-" + std::to_string(::getpid());
    auto receiver = net::UnixDatagram::bind(name).value();
    auto sender = net::UnixDatagram::bind(name + "-sender").value();
    const net::UnixAddress to = receiver.local_address().value();
    while (sender.send_to_until("x", to, 1ms)) {}
    sys::FaultPlan faults;
    faults.fail(Call::socket, EMFILE);
    EXPECT_EQ(sender.send_to("x", to).error(), kernel(EMFILE));
    char buffer[4];
    while (receiver.receive_from_until(buffer, 1ms)) {}
    EXPECT_TRUE(sender.send_to("y", to)) << "it stays usable";
    EXPECT_EQ(receiver.receive_from(buffer).value().size, 1u);
    EXPECT_EQ(buffer[0], 'y');
  });
}

TEST_F(DatagramFaults, ASenderThatWaitsForAnothersRoomDoesNotSpin) {
  run([] {
    const std::string name = "@weft-datagram-room-" + std::to_string(::getpid());
    auto receiver = net::UnixDatagram::bind(name).value();
    auto sender = net::UnixDatagram::bind(name + "-sender").value();
    const net::UnixAddress to = receiver.local_address().value();
    while (sender.send_to_until("x", to, 1ms)) {}
    sys::CallCounter counter;
    EXPECT_EQ(sender.send_to_until("x", to, 120ms).error(), Errc::timed_out);
    EXPECT_LE(counter.counts()[Call::sendmsg], 4u) << "once, and once for each look whether it was closed";
  });
}

TEST_F(DatagramFaults, AUnixSocketThatIsRefusedLeavesNoFile) {
  run([] {
    const std::string path = "/tmp/weft-datagram-faults-" + std::to_string(::getpid());
    for (const Call call : {Call::socket, Call::bind, Call::chmod}) {
      sys::FaultPlan faults;
      faults.fail(call, EMFILE);
      const auto socket = net::UnixDatagram::bind(path, {.mode = 0600});
      EXPECT_EQ(socket.error(), kernel(EMFILE)) << sys::to_string(call);
      EXPECT_NE(socket.message().find(path), std::string::npos);
      EXPECT_NE(::access(path.c_str(), F_OK), 0) << sys::to_string(call);
    }
  });
}

// A refusal comes as one edge, with EPOLLERR: the fiber that waits takes it and waits again, without a poll
// that finds nothing.
TEST_F(DatagramFaults, ARefusalDoesNotSpin) {
  run([] {
    const net::SocketAddress nobody = UdpSocket::bind("127.0.0.1:0").value().local_address().value();
    UdpSocket client = UdpSocket::connect(nobody).value();
    char buffer[16];
    EXPECT_EQ(client.receive_from_until(buffer, 1ms).error(), Errc::timed_out);
    ASSERT_TRUE(client.send("x"));
    EXPECT_EQ(client.receive_from(buffer).error(), kernel(ECONNREFUSED));
    sys::CallCounter counter;
    EXPECT_EQ(client.receive_from_until(buffer, 20ms).error(), Errc::timed_out);
    const sys::CallCounts counts = counter.counts();
    EXPECT_LE(counts[Call::recv], 2u);
  });
}

}  // namespace
}  // namespace weft
