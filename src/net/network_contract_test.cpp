// SPDX-License-Identifier: Apache-2.0
// What a program sees must not depend on which network is behind it: each test runs over the kernel and over
// the simulation, which is thereby held to what Linux does.
#include <gtest/gtest.h>

#include "event_loop/polling/epoll_event_loop.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "fiber/join.hpp"
#include "io/kernel_network.hpp"
#include "support/sim_runner.hpp"
#include "support/sim_sockets.hpp"

namespace weft {
namespace network_contract {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::kernel;
using test::listen;
using test::localhost;
using test::SimHandle;

enum class Kind { kEpoll, kSimulated };

/// Writes `text` as one piece.
std::error_code write_piece(const SimHandle& to, std::string_view text, Deadline deadline = {}) {
  const WriteTurn turn(to.handle, deadline);
  if (!turn) return turn.error();
  while (!text.empty()) {
    const auto size = Files::write_in_turn(*turn, std::as_bytes(std::span(text)), deadline);
    if (!size) return size.error();
    text.remove_prefix(*size);
  }
  return {};
}

/// A buffer that knows whether it is lent.
struct Lent final : BufferSource {
  std::span<std::byte> take() override {
    held = true;
    return std::span(bytes).first(size);
  }
  void give_back() noexcept override { held = false; }

  std::array<std::byte, 16> bytes{};
  std::size_t size = 16;
  bool held = false;
};

/// "ab": all the a came before all the b.
std::string order_of(std::string_view text) {
  std::string order;
  for (const char c : text) {
    if (order.empty() || order.back() != c) order += c;
  }
  return order;
}

class NetworkContract : public testing::TestWithParam<Kind> {
 protected:
  Network& network() noexcept {
    return GetParam() == Kind::kEpoll ? kernel_network() : *runner_.loop.network();
  }

  static std::unique_ptr<EventLoop> make_loop() {
    if (GetParam() == Kind::kEpoll) return EpollEventLoop::create().value();
    return std::make_unique<SimEventLoop>();
  }

  /// Until all that was sent has arrived: on the kernel's loopback, it has already.
  static void settle() {
    if (GetParam() == Kind::kSimulated) test::sleep_until(Deadline::after(1ms));
  }

  struct Ends {
    SimHandle client, server;
  };

  /// Runs `body(ends)` in a fiber, with a connection; closes what it left open.
  template <class Body>
  void with_connection(Body body) {
    runner_.spawn([&] {
      const SimHandle listener = listen(network(), localhost(0)).value();
      const SimHandle client = connect(network(), listener.local()).value();
      const Ends ends{client, listener.accept().value()};
      EXPECT_TRUE(listener.close());
      body(ends);
      for (const SimHandle& end : {ends.client, ends.server}) static_cast<void>(end.close());
    });
    runner_.run();
  }

  void join(Fiber& fiber) {
    EXPECT_EQ(join_fiber(fiber, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
  }

  test::LoopRunner<EventLoop> runner_{make_loop()};
};

TEST_P(NetworkContract, DataGoesBothWays) {
  with_connection([](const Ends& ends) {
    ASSERT_FALSE(ends.client.write_all("ping"));
    EXPECT_EQ(ends.server.read_exact(4), "ping");
    ASSERT_FALSE(ends.server.write_all("pong"));
    EXPECT_EQ(ends.client.read_exact(4), "pong");
    EXPECT_EQ(ends.server.peer(), ends.client.local());
    EXPECT_EQ(ends.server.local(), ends.client.peer());
  });
}

TEST_P(NetworkContract, ClosingWithUnreadDataResetsThePeer) {
  with_connection([](const Ends& ends) {
    ASSERT_FALSE(ends.server.write_all("answer"));
    ASSERT_FALSE(ends.client.write_all("never read"));
    settle();
    ASSERT_TRUE(ends.server.close());
    settle();
    EXPECT_EQ(ends.client.read_exact(6), "answer");
    EXPECT_EQ(ends.client.read().error(), kernel(ECONNRESET));
    EXPECT_EQ(ends.client.read().error(), Errc::end_of_file);
    EXPECT_EQ(ends.client.write("x").error(), kernel(EPIPE));
    EXPECT_EQ(ends.client.shutdown(SHUT_WR).error(), kernel(ENOTCONN));
    EXPECT_EQ(Files::peer_address(ends.client.handle).error(), kernel(ENOTCONN));
  });
}

TEST_P(NetworkContract, AResetFailsTheFirstWriteAndBreaksThePipeForTheNext) {
  with_connection([](const Ends& ends) {
    ASSERT_FALSE(ends.client.write_all("never read"));
    settle();
    ASSERT_TRUE(ends.server.close());
    settle();
    EXPECT_EQ(ends.client.write("x").error(), kernel(ECONNRESET));
    EXPECT_EQ(ends.client.write("x").error(), kernel(EPIPE));
  });
}

TEST_P(NetworkContract, AWriteAfterThePeersEndIsAnsweredWithAReset) {
  with_connection([](const Ends& ends) {
    ASSERT_TRUE(ends.server.close());
    EXPECT_EQ(ends.client.read().error(), Errc::end_of_file);
    EXPECT_TRUE(ends.client.write("x"));
    settle();
    EXPECT_EQ(ends.client.write("x").error(), kernel(EPIPE));
    EXPECT_EQ(ends.client.read().error(), Errc::end_of_file);
  });
}

TEST_P(NetworkContract, HalfClosesEndOneDirectionEach) {
  with_connection([](const Ends& ends) {
    ASSERT_TRUE(ends.client.shutdown(SHUT_WR));
    EXPECT_TRUE(ends.client.shutdown(SHUT_WR));
    EXPECT_EQ(ends.client.write("x").error(), kernel(EPIPE));
    EXPECT_EQ(ends.server.read().error(), Errc::end_of_file);
    ASSERT_FALSE(ends.server.write_all("late"));
    EXPECT_EQ(ends.client.read_exact(4), "late");
    ASSERT_TRUE(ends.server.shutdown(SHUT_WR));
    EXPECT_EQ(ends.client.read().error(), Errc::end_of_file);
    EXPECT_EQ(ends.client.shutdown(SHUT_WR).error(), kernel(ENOTCONN)) << "nothing is left to end";
    EXPECT_EQ(ends.client.shutdown(17).error(), kernel(EINVAL));
  });
}

TEST_P(NetworkContract, AStreamShutForReadingStillGivesWhatComes) {
  with_connection([](const Ends& ends) {
    ASSERT_TRUE(ends.client.shutdown(SHUT_RD));
    settle();
    EXPECT_EQ(ends.client.read().error(), Errc::end_of_file);
    ASSERT_FALSE(ends.server.write_all("late"));
    settle();
    EXPECT_EQ(ends.client.read().value(), "late");
  });
}

TEST_P(NetworkContract, AWriterWaitsForItsReaderAndNothingIsLost) {
  with_connection([this](const Ends& ends) {
    const std::string sent(8 << 20, 'x');
    Fiber& writer = runner_.spawn([&] {
      EXPECT_FALSE(ends.client.write_all(sent));
      EXPECT_TRUE(ends.client.shutdown(SHUT_WR));
    });
    EXPECT_TRUE(ends.server.read_exact(sent.size() + 1) == sent);
    join(writer);
  });
}

TEST_P(NetworkContract, CloseWakesItsWaitersFirst) {
  with_connection([this](const Ends& ends) {
    Fiber& reader = runner_.spawn([&] { EXPECT_EQ(ends.client.read().error(), Errc::closed); });
    runner_.yield();
    EXPECT_TRUE(ends.client.close());
    EXPECT_TRUE(fiber_done(reader));
    EXPECT_EQ(ends.client.close().error(), Errc::closed);
    EXPECT_EQ(ends.client.write("x").error(), Errc::closed);
  });
}

TEST_P(NetworkContract, WaitsEndByDeadlineAndByCancellation) {
  with_connection([this](const Ends& ends) {
    EXPECT_EQ(ends.client.read(1, Deadline::after(1ms)).error(), Errc::timed_out);
    Fiber& reader = runner_.spawn([&] { EXPECT_EQ(ends.client.read().error(), Errc::cancelled); });
    runner_.yield();
    reader.cancel();
    join(reader);
    ASSERT_FALSE(ends.server.write_all("x"));
    EXPECT_EQ(ends.client.read().value(), "x");
  });
}

TEST_P(NetworkContract, ListenersRefuseWhatIsForStreams) {
  runner_.spawn([&] {
    const SimHandle listener = listen(network(), localhost(0), {.backlog = 0}).value();
    const SimAddress address = listener.local();
    EXPECT_EQ(listen(network(), address).error(), kernel(EADDRINUSE));
    const SimHandle client = connect(network(), address).value();
    EXPECT_EQ(listener.read().error(), kernel(ENOTCONN));
    EXPECT_EQ(listener.write("x").error(), kernel(EPIPE));
    EXPECT_EQ(client.accept().error(), kernel(EINVAL));
    EXPECT_EQ(Files::peer_address(listener.handle).error(), kernel(ENOTCONN));
    EXPECT_EQ(connect(network(), address, Deadline::after(20ms)).error(), Errc::timed_out) << "backlog full";
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(client.read().error(), kernel(ECONNRESET)) << "it was never accepted";
    EXPECT_EQ(connect(network(), address).error(), kernel(ECONNREFUSED));
    EXPECT_TRUE(client.close());
  });
  runner_.run();
}

TEST_P(NetworkContract, AListenerThatIsShutDownFailsItsAcceptors) {
  runner_.spawn([&] {
    const SimHandle listener = listen(network(), localhost(0)).value();
    Fiber& acceptor = runner_.spawn([&] { EXPECT_EQ(listener.accept().error(), kernel(EINVAL)); });
    runner_.yield();
    EXPECT_TRUE(listener.shutdown(SHUT_WR));
    EXPECT_TRUE(listener.shutdown(SHUT_RDWR));
    join(acceptor);
    EXPECT_TRUE(listener.close());
  });
  runner_.run();
}

TEST_P(NetworkContract, WritesOfSeveralFibersArePieces) {
  with_connection([this](const Ends& ends) {
    constexpr std::size_t kSize = 8 << 20;
    std::vector<Fiber*> writers;
    for (const char c : {'a', 'b', 'c'}) {
      writers.push_back(
          &runner_.spawn([&ends, c] { EXPECT_FALSE(write_piece(ends.client, std::string(kSize, c))); }));
      runner_.yield();
    }
    writers.push_back(&runner_.spawn([&] {
      Lent source;
      const std::string piece(kSize, 'd');
      EXPECT_EQ(
          Files::write_then_read(ends.client.handle, std::as_bytes(std::span(piece)), source, {}).value(),
          1u);
    }));
    EXPECT_EQ(order_of(ends.server.read_exact(4 * kSize)), "abcd");
    EXPECT_FALSE(ends.server.write_all("!"));
    for (Fiber* writer : writers) join(*writer);
  });
}

TEST_P(NetworkContract, WhoWaitsForTheTurnToWriteIsEndedByAllThatEndsAWait) {
  with_connection([this](const Ends& ends) {
    Fiber& first =
        runner_.spawn([&] { EXPECT_EQ(write_piece(ends.client, std::string(64 << 20, 'a')), Errc::closed); });
    runner_.yield();
    EXPECT_EQ(write_piece(ends.client, "late", Deadline::after(1ms)), Errc::timed_out);
    EXPECT_EQ(ends.client.write("late", Deadline::after(-1ms)).error(), Errc::timed_out);
    Fiber& cancelled = runner_.spawn([&] { EXPECT_EQ(ends.client.write("x").error(), Errc::cancelled); });
    Fiber& closed = runner_.spawn([&] { EXPECT_EQ(ends.client.write("x").error(), Errc::closed); });
    runner_.yield();
    cancelled.cancel();
    join(cancelled);
    EXPECT_TRUE(ends.client.close());
    join(first);
    join(closed);
  });
}

TEST_P(NetworkContract, WhoWaitsForAnAnswerDoesNotKeepTheTurn) {
  with_connection([this](const Ends& ends) {
    Fiber& asking = runner_.spawn([&] {
      Lent source;
      const std::string question("ask ");
      EXPECT_EQ(
          Files::write_then_read(ends.client.handle, std::as_bytes(std::span(question)), source, {}).value(),
          1u);
    });
    runner_.yield();
    EXPECT_EQ(ends.client.write("more", Deadline::after(1h)).value(), 4u);
    EXPECT_EQ(ends.server.read_exact(8), "ask more");
    EXPECT_FALSE(ends.server.write_all("!"));
    join(asking);
  });
}

TEST_P(NetworkContract, ADeadlineEndsALoopThatNeverHasToWait) {
  with_connection([](const Ends& ends) {
    ASSERT_FALSE(ends.server.write_all(std::string(300, 'x')));
    settle();
    int reads = 0;
    int writes = 0;
    for (int i = 0; i < 200; ++i) reads += ends.client.read(1, Deadline::after(-1ms)) ? 1 : 0;
    for (int i = 0; i < 200; ++i) writes += ends.client.write("x", Deadline::after(-1ms)) ? 1 : 0;
    EXPECT_LT(reads, 200);
    EXPECT_LT(writes, 200);
    EXPECT_GT(reads + writes, 200);
  });
}

TEST_P(NetworkContract, ALentBufferIsGivenBackUnlessBytesWereRead) {
  with_connection([](const Ends& ends) {
    Lent source;
    ASSERT_FALSE(ends.server.write_all("xy"));
    settle();
    const auto read = [&] { return Files::read_when_ready(ends.client.handle, source, {}); };
    source.size = 0;
    EXPECT_EQ(read().value(), 0u) << "not the end of the file";
    EXPECT_FALSE(source.held);
    source.size = 16;
    EXPECT_EQ(read().value(), 2u);
    EXPECT_TRUE(source.held);
    source.give_back();
    ASSERT_TRUE(ends.server.shutdown(SHUT_WR));
    EXPECT_EQ(read().error(), Errc::end_of_file);
    EXPECT_FALSE(source.held);
  });
}

INSTANTIATE_TEST_SUITE_P(Loops, NetworkContract, testing::Values(Kind::kEpoll, Kind::kSimulated),
                         [](const auto& loop) { return loop.param == Kind::kEpoll ? "Epoll" : "Simulated"; });

}  // namespace
}  // namespace network_contract
}  // namespace weft
