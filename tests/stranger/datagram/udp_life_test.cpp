// SPDX-License-Identifier: Apache-2.0
// Binding, closing, deadlines and cancellation of UDP sockets.
#include "udp.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::net::SocketAddress;
using weft::net::UdpSocket;

TEST(UdpLife, AnAddressThatIsTakenIsNamedInTheError) {
  in_fiber([] {
    UdpSocket first = udp();
    const SocketAddress taken = first.local_address().value();
    const auto second = UdpSocket::bind(taken);
    EXPECT_EQ(second.error(), system_error(EADDRINUSE));
    EXPECT_NE(second.message().find(taken.to_string()), std::string::npos) << second.message();
    EXPECT_EQ(UdpSocket::bind("127.0.0.1").error(), Errc::invalid_address);
    EXPECT_EQ(UdpSocket::connect("nowhere").error(), Errc::invalid_address);
    EXPECT_EQ(UdpSocket::bind("192.0.2.1:0").error(), system_error(EADDRNOTAVAIL));
    ASSERT_TRUE(first.close());
    EXPECT_TRUE(UdpSocket::bind(taken));
  });
}

TEST(UdpLife, NamesAreResolved) {
  in_fiber([] {
    UdpSocket server = UdpSocket::bind("localhost:0").value();
    EXPECT_EQ(server.local_address().value().ip(), weft::net::IpAddress::v4_loopback());
    const std::string port = std::to_string(server.local_address().value().port());
    UdpSocket other = UdpSocket::bind("[::1]:" + port).value();  // whichever comes first of localhost
    UdpSocket client = UdpSocket::connect("localhost:" + port).value();
    ASSERT_TRUE(client.send("x"));
    int received = 0;
    EXPECT_TRUE(weft::select(weft::readable(server, [&] { ++received; }),
                             weft::readable(other, [&] { ++received; })));
    EXPECT_EQ(received, 1);
    const auto unknown = UdpSocket::connect("nowhere.invalid:no-such-service");
    EXPECT_TRUE(unknown.error());
    EXPECT_NE(unknown.message().find("nowhere.invalid"), std::string::npos) << unknown.message();
  });
}

TEST(UdpLife, SocketsShareAnAddressOnlyIfAllAskForIt) {
  in_fiber([] {
    UdpSocket first = udp("127.0.0.1:0", {.reuse_port = true});
    const SocketAddress shared = first.local_address().value();
    EXPECT_TRUE(UdpSocket::bind(shared, {.reuse_port = true}));
    EXPECT_EQ(UdpSocket::bind(shared).error(), system_error(EADDRINUSE));
  });
}

TEST(UdpLife, WithoutASocketEverythingIsClosed) {
  in_fiber([] {
    UdpSocket none;
    char buffer[4];
    weft::net::ReceiveBatch in(1, 16);
    weft::net::SendBatch out(1);
    out.add("x", SocketAddress());
    EXPECT_FALSE(none.is_open());
    EXPECT_EQ(none.native_handle(), -1);
    EXPECT_EQ(none.receive_from(buffer).error(), Errc::closed);
    EXPECT_EQ(none.send_to("x", SocketAddress()).error(), Errc::closed);
    EXPECT_EQ(none.send("x").error(), Errc::closed);
    EXPECT_EQ(none.receive_batch(in).error(), Errc::closed);
    EXPECT_EQ(none.send_batch(out).error(), Errc::closed);
    EXPECT_EQ(out.size(), 1u) << "nothing was sent";
    EXPECT_EQ(none.local_address().error(), Errc::closed);
    EXPECT_EQ(none.join_group(weft::net::IpAddress::v4(239, 0, 0, 1)).error(), Errc::closed);
    EXPECT_EQ(none.wait_readable().error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
    EXPECT_FALSE(none.can_segment());
  });
}

TEST(UdpLife, CloseEndsEveryReceiverThatWaits) {
  in_fiber([] {
    UdpSocket socket = udp();
    std::vector<weft::JoinHandle<std::error_code>> waiting;
    for (int i = 0; i < 3; ++i) {
      waiting.push_back(weft::spawn([&] {
        char buffer[4];
        return socket.receive_from(buffer).error();
      }));
    }
    weft::yield();
    EXPECT_TRUE(socket.is_open());
    ASSERT_TRUE(socket.close());
    for (auto& each : waiting) EXPECT_EQ(each.join_uncancellable(), Errc::closed);
    EXPECT_FALSE(socket.is_open());
    EXPECT_EQ(socket.close().error(), Errc::closed);
  });
}

TEST(UdpLife, NoDatagramIsLostByACancelOrATimeout) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const SocketAddress to = b.local_address().value();
    int received = 0;
    for (int i = 0; i < 200; ++i) {
      auto receiver = weft::spawn([&] {
        char buffer[16];
        const Deadline soon = i % 2 == 0 ? Deadline::never() : Deadline::after(std::chrono::microseconds(i));
        return b.receive_from_until(buffer, soon).has_value();
      });
      weft::yield();
      ASSERT_TRUE(a.send_to("n", to));
      if (i % 3 == 0) weft::yield();
      receiver.cancel();
      received += receiver.join_uncancellable() ? 1 : 0;
    }
    char buffer[16];
    while (b.receive_from_until(buffer, 5ms)) ++received;
    EXPECT_EQ(received, 200);
  });
}

TEST(UdpLife, ADatagramThatIsThereIsReceivedAfterTheDeadline) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    ASSERT_TRUE(a.send_to("late", b.local_address().value()));
    char buffer[16];
    EXPECT_EQ(b.receive_from_until(buffer, Deadline::after_ns(0)).value().size, 4u);
    EXPECT_EQ(b.receive_from_until(buffer, Deadline::after_ns(0)).error(), Errc::timed_out);
  });
}

TEST(UdpLife, AMovedSocketIsTheSame) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const SocketAddress to = b.local_address().value();
    UdpSocket moved = std::move(b);
    ASSERT_TRUE(a.send_to("x", to));
    EXPECT_EQ(next(moved).text, "x");
    moved = udp();
    EXPECT_TRUE(UdpSocket::bind(to)) << "the old one was closed";
  });
}

TEST(UdpLife, SelectWaitsForEitherOfTwo) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    UdpSocket c = udp();
    auto sender = weft::spawn([&] {
      weft::yield();
      ASSERT_TRUE(a.send_to("x", c.local_address().value()));
    });
    int chosen = 0;
    EXPECT_TRUE(weft::select(weft::readable(b, [&] { chosen = 1; }), weft::readable(c, [&] { chosen = 2; })));
    EXPECT_EQ(chosen, 2);
    EXPECT_EQ(next(c).text, "x") << "select has taken nothing";
    EXPECT_TRUE(weft::select(weft::writable(b, [&] { chosen = 3; })));
    EXPECT_EQ(chosen, 3);
    EXPECT_TRUE(weft::select(weft::readable(b, [&] { chosen = 4; }), weft::after(1ms, [&] { chosen = 5; })));
    EXPECT_EQ(chosen, 5);
    sender.join_uncancellable();
  });
}

TEST(UdpLife, TwoReceiveAndTwoSendOnOneSocketEachDatagramOnce) {
  constexpr int kEach = 2'000;
  in_fiber(
      [] {
        UdpSocket socket = udp();
        const SocketAddress self = socket.local_address().value();
        weft::Semaphore window(64);
        std::vector<int> seen(2 * kEach, 0);
        weft::Mutex mutex;
        int left = 2 * kEach;
        auto receive = [&] {
          int number = 0;
          while (socket.receive_from(weft::MutableBuffer(reinterpret_cast<char*>(&number), sizeof(number)))) {
            std::scoped_lock lock(mutex);
            ++seen[static_cast<std::size_t>(number)];
            window.release();
            if (--left == 0) break;
          }
        };
        auto send = [&](int first) {
          for (int i = first; i < first + kEach; ++i) {
            EXPECT_TRUE(window.acquire());
            EXPECT_TRUE(
                socket.send_to(weft::ConstBuffer(reinterpret_cast<const char*>(&i), sizeof(i)), self));
          }
        };
        auto receiver1 = weft::spawn(receive);
        auto receiver2 = weft::spawn(receive);
        auto sender1 = weft::spawn([&] { send(0); });
        auto sender2 = weft::spawn([&] { send(kEach); });
        sender1.join_uncancellable();
        sender2.join_uncancellable();
        weft::select(weft::join(receiver1, [] {}), weft::join(receiver2, [] {}));
        EXPECT_TRUE(socket.close());
        if (receiver1.joinable()) receiver1.join_uncancellable();
        if (receiver2.joinable()) receiver2.join_uncancellable();
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 2 * kEach);
      },
      2);
}

TEST(UdpLife, ASocketThatComesFromElsewhereIsAdopted) {
  in_fiber([] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    UdpSocket adopted = UdpSocket::adopt(fd).value();
    EXPECT_EQ(adopted.native_handle(), fd);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    UdpSocket other = udp();
    ASSERT_TRUE(adopted.send_to("x", other.local_address().value()));
    const Letter letter = next(other);
    ASSERT_TRUE(other.send_to("y", letter.info.from));
    EXPECT_EQ(next(adopted).text, "y");
    ASSERT_TRUE(adopted.close());
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    const int stream = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(UdpSocket::adopt(stream).error(), system_error(EPROTOTYPE));
    const int local = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(UdpSocket::adopt(local).error(), system_error(EAFNOSUPPORT));
    EXPECT_EQ(UdpSocket::adopt(-1).error(), system_error(EBADF));
    EXPECT_EQ(::close(stream), 0) << "it is still the caller's";
    EXPECT_EQ(::close(local), 0);
  });
}

TEST(UdpLife, BufferSizesAreSetAndTold) {
  in_fiber([] {
    UdpSocket socket = udp();
    ASSERT_TRUE(socket.set_receive_buffer_size(20'000));
    EXPECT_EQ(socket.receive_buffer_size().value(), 40'000) << "the kernel doubles it";
    ASSERT_TRUE(socket.set_send_buffer_size(30'000));
    EXPECT_EQ(socket.send_buffer_size().value(), 60'000);
    EXPECT_EQ(socket.set_send_buffer_size(-1).error(), system_error(EINVAL));
    EXPECT_EQ(socket.set_receive_buffer_size(-1).error(), system_error(EINVAL));
  });
}

}  // namespace
}  // namespace stranger
