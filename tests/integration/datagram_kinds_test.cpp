// SPDX-License-Identifier: Apache-2.0
// What a datagram socket promises, for each kind, in each kind of context, under each strategy, and in the
// simulated world. A new kind is a row of kKinds.
#include "support/any_context.hpp"

#include <weft/mutex.hpp>
#include <weft/net/udp_socket.hpp>
#include <weft/net/unix_datagram.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;

/// A datagram that came, and the bytes that were sent.
struct Got {
  std::string text;
  std::size_t full_size = 0;
};

/// Two sockets: what is sent by one is received by the other.
class DatagramEnds {
 public:
  virtual ~DatagramEnds() = default;
  virtual Result<void> send(std::string_view text, Deadline deadline = Deadline::never()) = 0;
  virtual Result<Got> receive(Deadline deadline = Deadline::never(), std::size_t room = 100) = 0;
  virtual Result<void> wait_readable(Deadline deadline = Deadline::never()) = 0;
  /// 1: the receiver is readable, 2: it is time.
  virtual int select_readable(Deadline deadline) = 0;
  virtual bool select_writable() = 0;
  virtual Result<void> close_receiver() = 0;
  virtual Result<void> close_sender() = 0;
};

template <class Sender, class Receiver>
class EndsOf final : public DatagramEnds {
 public:
  using Send = std::function<Result<void>(Sender&, std::string_view, Deadline)>;
  EndsOf(Sender sender, Receiver receiver, Send send)
      : sender_(std::move(sender)), receiver_(std::move(receiver)), send_(std::move(send)) {}

  Result<void> send(std::string_view text, Deadline deadline) override {
    return send_(sender_, text, deadline);
  }
  Result<Got> receive(Deadline deadline, std::size_t room) override {
    std::string text(room, '\0');
    const auto received = receiver_.receive_from_until(text, deadline);
    if (!received) return received.error();
    return Got{text.substr(0, received->size), received->full_size};
  }
  Result<void> wait_readable(Deadline deadline) override { return receiver_.wait_readable(deadline); }
  int select_readable(Deadline deadline) override {
    int chosen = 0;
    EXPECT_TRUE(weft::select(readable(receiver_, [&] { chosen = 1; }), after(deadline, [&] { chosen = 2; })));
    return chosen;
  }
  bool select_writable() override {
    bool chosen = false;
    EXPECT_TRUE(weft::select(writable(sender_, [&] { chosen = true; })));
    return chosen;
  }
  Result<void> close_receiver() override { return receiver_.close(); }
  Result<void> close_sender() override { return sender_.close(); }

 private:
  Sender sender_;
  Receiver receiver_;
  Send send_;
};

using Ends = std::unique_ptr<DatagramEnds>;

Ends udp_ends(const char* at, bool connected) {
  net::UdpSocket receiver = net::UdpSocket::bind(at).value();
  const net::SocketAddress to = receiver.local_address().value();
  net::UdpSocket sender = connected ? net::UdpSocket::connect(to).value() : net::UdpSocket::bind(at).value();
  return std::make_unique<EndsOf<net::UdpSocket, net::UdpSocket>>(
      std::move(sender), std::move(receiver),
      [to, connected](net::UdpSocket& socket, std::string_view text, Deadline deadline) {
        return connected ? socket.send_until(text, deadline) : socket.send_to_until(text, to, deadline);
      });
}

using UnixEnds = EndsOf<net::UnixDatagram, net::UnixDatagram>;

Ends unix_ends(bool connected) {
  static std::atomic<int> count{0};
  const std::string name = "@weft-datagrams-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  const net::UnixAddress to = net::UnixAddress::parse(name).value();
  net::UnixDatagram receiver = net::UnixDatagram::bind(to).value();
  net::UnixDatagram sender =
      connected ? net::UnixDatagram::connect(to).value() : net::UnixDatagram::bind(name + "-sender").value();
  return std::make_unique<UnixEnds>(
      std::move(sender), std::move(receiver),
      [to, connected](net::UnixDatagram& socket, std::string_view text, Deadline deadline) {
        return connected ? socket.send_until(text, deadline) : socket.send_to_until(text, to, deadline);
      });
}

Ends unix_pair_ends() {
  net::UnixDatagramPair pair = net::UnixDatagram::pair().value();
  return std::make_unique<UnixEnds>(std::move(pair.first), std::move(pair.second),
                                    [](net::UnixDatagram& socket, std::string_view text, Deadline deadline) {
                                      return socket.send_until(text, deadline);
                                    });
}

struct Kind {
  const char* name;
  Ends (*make)();
};
const Kind kKinds[] = {
    {"Udp", [] { return udp_ends("127.0.0.1:0", false); }},
    {"UdpConnected", [] { return udp_ends("127.0.0.1:0", true); }},
    {"UdpOfIpv6", [] { return udp_ends("[::1]:0", true); }},
    {"Unix", [] { return unix_ends(false); }},
    {"UnixConnected", [] { return unix_ends(true); }},
    {"UnixPair", unix_pair_ends},
};

class DatagramKinds : public testing::TestWithParam<std::tuple<ContextCase, std::size_t>> {
 protected:
  const Kind& kind() const { return kKinds[std::get<1>(GetParam())]; }
  /// Runs `body(ends)` as a fiber.
  template <class Body>
  void run(Body body) {
    context
        .spawn([&] {
          const Ends ends = kind().make();
          body(*ends);
        })
        .join_uncancellable();
  }

  AnyContext context{std::get<0>(GetParam())};
};

TEST_P(DatagramKinds, EachKeepsItsBoundsAlsoAnEmptyOne) {
  run([](DatagramEnds& ends) {
    for (const char* text : {"a", "", "ccc"}) ASSERT_TRUE(ends.send(text));
    for (const char* text : {"a", "", "ccc"}) EXPECT_EQ(ends.receive().value().text, text);
  });
}

TEST_P(DatagramKinds, WhatDoesNotFitIsToldAndTheNextIsWhole) {
  run([](DatagramEnds& ends) {
    ASSERT_TRUE(ends.send("0123456789"));
    ASSERT_TRUE(ends.send("next"));
    const Got cut = ends.receive(Deadline::never(), 4).value();
    EXPECT_EQ(cut.text, "0123");
    EXPECT_EQ(cut.full_size, 10u);
    EXPECT_EQ(ends.receive().value().text, "next");
  });
}

TEST_P(DatagramKinds, ADeadlineEndsAReceiveAndLosesNothing) {
  run([](DatagramEnds& ends) {
    EXPECT_EQ(ends.receive(Deadline::after(2ms)).error(), Errc::timed_out);
    ASSERT_TRUE(ends.send("x"));
    EXPECT_EQ(ends.receive().value().text, "x");
  });
}

TEST_P(DatagramKinds, ACancelledReceiverHasTakenNothing) {
  run([](DatagramEnds& ends) {
    auto receiver = spawn([&] { return ends.receive().error(); });
    yield();
    receiver.cancel();
    EXPECT_EQ(receiver.join_uncancellable(), Errc::cancelled);
    ASSERT_TRUE(ends.send("x"));
    EXPECT_EQ(ends.receive().value().text, "x");
  });
}

TEST_P(DatagramKinds, CloseEndsAReceiveThatWaits) {
  run([](DatagramEnds& ends) {
    auto receiver = spawn([&] { return ends.receive().error(); });
    yield();
    EXPECT_TRUE(ends.close_receiver());
    EXPECT_EQ(receiver.join_uncancellable(), Errc::closed);
    EXPECT_EQ(ends.receive().error(), Errc::closed);
    EXPECT_EQ(ends.wait_readable().error(), Errc::closed);
    EXPECT_EQ(ends.close_receiver().error(), Errc::closed);
    EXPECT_TRUE(ends.close_sender());
    EXPECT_EQ(ends.send("x").error(), Errc::closed);
  });
}

TEST_P(DatagramKinds, EachOfManyThatWaitGetsOne) {
  run([](DatagramEnds& ends) {
    std::vector<JoinHandle<Result<Got>>> receivers;
    for (int i = 0; i < 8; ++i) receivers.push_back(spawn([&] { return ends.receive(); }));
    yield();
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(ends.send(std::to_string(i)));
    std::string all;
    for (auto& each : receivers) all += each.join_uncancellable().value().text;
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, "01234567");
  });
}

TEST_P(DatagramKinds, TwoSendAndTwoReceiveEachDatagramOnce) {
  constexpr int kEach = 300;
  run([](DatagramEnds& ends) {
    Semaphore window(32);
    Mutex mutex;
    std::vector<int> seen(2 * kEach, 0);
    int left = 2 * kEach;
    const auto receive = [&] {
      for (Result<Got> got = ends.receive(); got; got = ends.receive()) {
        const std::scoped_lock lock(mutex);
        ++seen[static_cast<std::size_t>(std::stoi(got->text))];
        window.release();
        if (--left == 0) return;
      }
    };
    const auto send = [&](int first) {
      for (int i = first; i < first + kEach; ++i) {
        EXPECT_TRUE(window.acquire());
        EXPECT_TRUE(ends.send(std::to_string(i)));
      }
    };
    auto receiver1 = spawn(receive);
    auto receiver2 = spawn(receive);
    auto sender1 = spawn([&] { send(0); });
    auto sender2 = spawn([&] { send(kEach); });
    sender1.join_uncancellable();
    sender2.join_uncancellable();
    EXPECT_TRUE(weft::select(join(receiver1, [] {}), join(receiver2, [] {})));
    EXPECT_TRUE(ends.close_receiver());
    if (receiver1.joinable()) receiver1.join_uncancellable();
    if (receiver2.joinable()) receiver2.join_uncancellable();
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 2 * kEach);
  });
}

TEST_P(DatagramKinds, SelectSeesWhatCame) {
  run([](DatagramEnds& ends) {
    EXPECT_EQ(ends.select_readable(Deadline::after(1ms)), 2);
    EXPECT_TRUE(ends.select_writable());
    ASSERT_TRUE(ends.send("x"));
    EXPECT_EQ(ends.select_readable(Deadline::never()), 1);
    EXPECT_TRUE(ends.wait_readable());
    EXPECT_EQ(ends.receive().value().text, "x");
  });
}

/// Of the kinds whose senders wait for room at the receiver: the others lose datagrams.
class LosslessKinds : public DatagramKinds {};

/// Sends until there is no room, and says how many were sent.
int fill(DatagramEnds& ends) {
  int sent = 0;
  while (ends.send(std::to_string(sent), Deadline::after(5ms))) ++sent;
  return sent;
}

TEST_P(LosslessKinds, ASenderWaitsForRoomAndNoneIsLost) {
  run([](DatagramEnds& ends) {
    const int count = fill(ends);
    ASSERT_GT(count, 0);
    auto waiting = spawn([&] { return ends.send("last"); });
    auto cancelled = spawn([&] { return ends.send("never").error(); });
    yield();
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable(), Errc::cancelled);
    for (int i = 0; i < count; ++i) ASSERT_EQ(ends.receive().value().text, std::to_string(i));
    EXPECT_TRUE(waiting.join_uncancellable());
    EXPECT_EQ(ends.receive().value().text, "last");
    EXPECT_EQ(ends.receive(Deadline::after(2ms)).error(), Errc::timed_out);
  });
}

TEST_P(LosslessKinds, CloseEndsASenderThatWaits) {
  run([](DatagramEnds& ends) {
    fill(ends);
    auto waiting = spawn([&] { return ends.send("never").error(); });
    yield();
    EXPECT_TRUE(ends.close_sender());
    EXPECT_EQ(waiting.join_uncancellable(), Errc::closed);
  });
}

TEST_P(LosslessKinds, ASenderThatWaitsLearnsThatTheReceiverIsGone) {
  run([](DatagramEnds& ends) {
    fill(ends);
    auto waiting = spawn([&] { return ends.send("never").error(); });
    yield();
    EXPECT_TRUE(ends.close_receiver());
    const std::error_code error = waiting.join_uncancellable();
    EXPECT_EQ(error, std::error_code(ECONNREFUSED, std::system_category())) << error.message();
  });
}

std::string case_name(const testing::TestParamInfo<DatagramKinds::ParamType>& info) {
  return std::string(kKinds[std::get<1>(info.param)].name) + name_of(std::get<0>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Kinds, DatagramKinds,
                         testing::Combine(all_contexts(), testing::Range<std::size_t>(0, std::size(kKinds))),
                         case_name);

constexpr std::size_t kFirstLossless = 3;  // of kKinds
INSTANTIATE_TEST_SUITE_P(Kinds, LosslessKinds,
                         testing::Combine(all_contexts(),
                                          testing::Range<std::size_t>(kFirstLossless, std::size(kKinds))),
                         case_name);

class DatagramKindsOfTwo : public testing::TestWithParam<std::size_t> {};

// From a context of one strategy to one of another, and back: what was begun here is received on there.
TEST_P(DatagramKindsOfTwo, ASocketIsHandedOverBetweenContextsOfAnyStrategies) {
  for (const EventLoopStrategy& here : EventLoopStrategy::named()) {
    for (const EventLoopStrategy& there : {EventLoopStrategy(), EventLoopStrategy::broadcast(), here}) {
      ConcurrentContext a("a", {.strategy = here});
      ConcurrentContext b("b", {.strategy = there});
      const Ends ends = a.spawn([&] { return kKinds[GetParam()].make(); }).join_uncancellable();
      const auto receive_in = [&](ExecutionContext& context, std::string_view expected) {
        auto receiver = context.spawn([&] { EXPECT_EQ(ends->receive().value().text, expected); });
        a.spawn([&] {
           yield();
           EXPECT_TRUE(ends->send(expected));
         }).join_uncancellable();
        receiver.join_uncancellable();
      };
      receive_in(a, "first");
      receive_in(b, "second");
      receive_in(a, "third");
      EXPECT_TRUE(a.spawn([&] { return ends->close_sender(); }).join_uncancellable());
      EXPECT_TRUE(b.spawn([&] { return ends->close_receiver(); }).join_uncancellable());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, DatagramKindsOfTwo, testing::Range<std::size_t>(0, std::size(kKinds)),
                         [](const auto& of) { return std::string(kKinds[of.param].name); });

}  // namespace
}  // namespace weft::test
