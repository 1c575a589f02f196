// SPDX-License-Identifier: Apache-2.0
// A cancel storm over datagrams: a program is cancelled at its k-th suspension, for every k until it gets
// through. Whatever the moment: each datagram that was sent is received by somebody, or is still in the
// socket.
#include "support/sim_context.hpp"

#include <weft/net/udp_socket.hpp>
#include <weft/net/unix_datagram.hpp>
#include <weft/select.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

constexpr int kDatagrams = 30;

/// What was sent and received, however far the program came.
struct Tally {
  int sent = 0;
  int received = 0;
};

Result<void> udp_program(net::UdpSocket& from, net::UdpSocket& to, Tally& tally) {
  TaskGroup<void> group;
  for (int i = 0; i < 2; ++i) {
    group.spawn([&]() -> Result<void> {
      char buffer[16];
      while (tally.received < kDatagrams) {
        const auto got = to.receive_from_until(buffer, 1ms);
        if (got) ++tally.received;
        if (!got && got.error() != Errc::timed_out) return got.error();
      }
      return {};
    });
  }
  group.spawn([&]() -> Result<void> {
    net::ReceiveBatch batch(4, 16);
    while (tally.received < kDatagrams) {
      const auto got = to.receive_batch_until(batch, 1ms);
      if (got) tally.received += static_cast<int>(*got);
      if (!got && got.error() != Errc::timed_out) return got.error();
    }
    return {};
  });
  group.spawn([&]() -> Result<void> {
    net::SendBatch batch(3);
    const net::SocketAddress address = to.local_address().value();
    for (int i = 0; i < kDatagrams; i += 3) {
      if (auto slept = sleep(300us); !slept) return slept;
      for (int j = 0; j < 3; ++j) batch.add("x", address);
      const Result<void> done = from.send_batch(batch);
      tally.sent += 3 - static_cast<int>(batch.size());
      if (!done) return done;
    }
    return {};
  });
  return group.wait();
}

Result<void> unix_program(net::UnixDatagram& from, net::UnixDatagram& to, Tally& tally) {
  TaskGroup<void> group;
  group.spawn([&]() -> Result<void> {
    const net::UnixAddress address = to.local_address().value();
    for (; tally.sent < kDatagrams; ++tally.sent) {
      if (auto done = from.send_to("x", address); !done) return done;
    }
    return {};
  });
  group.spawn([&]() -> Result<void> {
    char buffer[16];
    for (; tally.received < kDatagrams; ++tally.received) {
      if (auto slept = sleep(100us); !slept) return slept;
      bool ready = false;
      if (auto chosen = select(readable(to, [&] { ready = true; }), after(1s, [] {})); !chosen)
        return chosen.error();
      EXPECT_TRUE(ready);
      if (const auto got = to.receive_from(buffer); !got) return got.error();
    }
    return {};
  });
  return group.wait();
}

/// Runs `program(from, to, tally)` and cancels it after `moment` yields of virtual time. True: it got
/// through.
template <class Socket, class Program>
bool storm_once(int moment, Socket& from, Socket& to, Program program) {
  Tally tally;
  auto running = spawn([&] { return program(from, to, tally).error(); });
  for (int i = 0; i < moment && !running.done(); ++i) {
    if (i % 4 == 3) {
      EXPECT_TRUE(sleep(50us));
    } else {
      yield();
    }
  }
  const bool through = running.done();
  running.cancel();
  const std::error_code error = running.join_uncancellable();
  EXPECT_TRUE(!error || error == Errc::cancelled) << error.message();
  char buffer[16];
  while (to.receive_from_until(buffer, 5ms)) ++tally.received;
  EXPECT_EQ(tally.received, tally.sent) << "cancelled at moment " << moment;
  return through;
}

TEST(CancelStormDatagram, NoDatagramOfUdpIsLost) {
  test::SimContext world("world");
  world
      .spawn([] {
        int moment = 0;
        for (bool through = false; !through; ++moment) {
          auto from = net::UdpSocket::bind("127.0.0.1:0").value();
          auto to = net::UdpSocket::bind("127.0.0.1:0").value();
          through = storm_once(moment, from, to, udp_program);
        }
        EXPECT_GT(moment, 50);
      })
      .join_uncancellable();
}

TEST(CancelStormDatagram, NoDatagramOfUnixIsLost) {
  test::SimContext world("world");
  world
      .spawn([] {
        int moment = 0;
        for (bool through = false; !through; ++moment) {
          auto from = net::UnixDatagram::bind("@storm-from").value();
          auto to = net::UnixDatagram::bind("@storm-to").value();
          through = storm_once(moment, from, to, unix_program);
        }
        EXPECT_GT(moment, 50);
      })
      .join_uncancellable();
}

}  // namespace
}  // namespace weft
