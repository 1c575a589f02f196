// SPDX-License-Identifier: Apache-2.0
// Connected streams: data, backpressure, and every way in which they end.
#include <gtest/gtest.h>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "support/sim_runner.hpp"
#include "support/sim_sockets.hpp"
#include "sys/iovec.hpp"

#include <array>
#include <numeric>

namespace weft {
namespace {

using test::kernel;
using test::SimPair;
using test::SimRunner;

/// Runs `body(pair)` in a fiber with a connection of its own.
template <class Body>
void with_pair(Body body, SimOptions options = {}) {
  SimRunner runner(std::move(options));
  runner.spawn([&] {
    SimPair pair(runner.loop);
    body(runner, pair);
  });
  runner.run();
}

SimOptions with_buffer(std::size_t size) {
  SimOptions options;
  options.buffer_size = size;
  return options;
}

TEST(SimStream, CarriesBytesBothWaysInOrder) {
  with_pair([](SimRunner&, SimPair& pair) {
    EXPECT_EQ(pair.client.write("ping ").value(), 5u);
    EXPECT_EQ(pair.client.write("pong").value(), 4u);
    EXPECT_EQ(pair.server.read_exact(9), "ping pong");
    EXPECT_EQ(pair.server.write("reply").value(), 5u);
    EXPECT_EQ(pair.client.read_exact(5), "reply");
    pair.close();
  });
}

TEST(SimStream, AReadTakesNoMoreThanItAskedFor) {
  with_pair([](SimRunner&, SimPair& pair) {
    ASSERT_TRUE(pair.client.write("abcdef"));
    EXPECT_EQ(pair.server.read(4).value(), "abcd");
    EXPECT_EQ(pair.server.read(4).value(), "ef");
    pair.close();
  });
}

TEST(SimStream, MovesSeveralBuffersInOneCall) {
  with_pair([](SimRunner&, SimPair& pair) {
    std::string head = "head ", empty, body = "body";
    const std::array<iovec, 3> out{iovec{head.data(), 5}, iovec{empty.data(), 0}, iovec{body.data(), 4}};
    EXPECT_EQ(Files::write_vectored(pair.client.handle, out, {}).value(), 9u);
    std::string first(3, ' '), second(20, ' ');
    const std::array<iovec, 2> in{iovec{first.data(), 3}, iovec{second.data(), 20}};
    EXPECT_EQ(Files::read_vectored(pair.server.handle, in, {}).value(), 9u);
    EXPECT_EQ(first + second.substr(0, 6), "head body");
    pair.close();
  });
}

TEST(SimStream, AFullBufferStopsTheWriterUntilItIsRead) {
  SimRunner runner(with_buffer(8));
  std::string order;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    EXPECT_EQ(pair.client.write("0123456789").value(), 8u) << "what fits";
    Fiber& writer = runner.spawn([&, client = pair.client] {
      EXPECT_EQ(client.write("89").value(), 2u);
      order += "written ";
    });
    test::sleep_until(Deadline::after(std::chrono::seconds(1)));
    order += "read ";
    EXPECT_EQ(pair.server.read(3).value(), "012");
    EXPECT_EQ(join_fiber(writer, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_EQ(pair.server.read_exact(7), "3456789");
    pair.close();
  });
  runner.run();
  EXPECT_EQ(order, "read written ");
}

TEST(SimStream, AMegabyteGoesThroughASmallBufferUnchanged) {
  SimOptions options = SimOptions::rough(7);
  options.buffer_size = 1000;
  SimRunner runner(options);
  std::string sent(1 << 20, '\0');
  std::iota(sent.begin(), sent.end(), '\0');
  std::string received;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    runner.spawn([&, client = pair.client] {
      EXPECT_FALSE(client.write_all(sent));
      EXPECT_TRUE(client.close());
    });
    for (;;) {
      const Result<std::string> text = pair.server.read(1500);
      if (!text) {
        EXPECT_EQ(text.error(), Errc::end_of_file);
        break;
      }
      received += *text;
    }
    EXPECT_TRUE(pair.server.close());
  });
  runner.run();
  EXPECT_TRUE(received == sent);
}

TEST(SimStream, TwoFibersReadAndWriteTheSameStreamAtATime) {
  with_pair([](SimRunner& runner, SimPair& pair) {
    runner.spawn([pair] {
      EXPECT_EQ(pair.server.read_exact(4), "ping");
      EXPECT_TRUE(Files::write(pair.server.handle, std::as_bytes(std::span("pong", 4)), {}));
    });
    Fiber& reader = runner.spawn([client = pair.client] { EXPECT_EQ(client.read_exact(4), "pong"); });
    runner.yield();
    EXPECT_TRUE(pair.client.write("ping"));
    EXPECT_EQ(join_fiber(reader, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    pair.close();
  });
}

// L4: the arrival is one edge, for the one who waited first.
TEST(SimStream, AReaderThatLeavesSomethingPassesTheTurn) {
  SimRunner runner;
  std::string got;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    const auto reader = [&got, server = pair.server] { got += server.read(1).value(); };
    Fiber& first = runner.spawn(reader);
    Fiber& second = runner.spawn(reader);
    runner.yield();
    EXPECT_TRUE(pair.client.write("ab"));
    EXPECT_EQ(join_fiber(first, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_EQ(join_fiber(second, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    pair.close();
  });
  runner.run();
  EXPECT_EQ(got, "ab");
}

TEST(SimStream, HalfCloseEndsOneDirectionOnly) {
  with_pair([](SimRunner&, SimPair& pair) {
    ASSERT_TRUE(pair.client.write("last words"));
    ASSERT_TRUE(pair.client.shutdown(SHUT_WR));
    EXPECT_EQ(pair.client.write("more").error(), kernel(EPIPE));
    EXPECT_EQ(pair.server.read_exact(10), "last words");
    EXPECT_EQ(pair.server.read().error(), Errc::end_of_file);
    EXPECT_EQ(pair.server.read().error(), Errc::end_of_file) << "and stays there";
    EXPECT_TRUE(pair.server.write("heard"));
    EXPECT_EQ(pair.client.read_exact(5), "heard");
    EXPECT_TRUE(pair.client.shutdown(SHUT_WR)) << "twice is harmless";
    pair.close();
  });
}

TEST(SimStream, ShutDownForReadingEndsAWaitingRead) {
  with_pair([](SimRunner& runner, SimPair& pair) {
    Fiber& reader =
        runner.spawn([server = pair.server] { EXPECT_EQ(server.read().error(), Errc::end_of_file); });
    runner.yield();
    EXPECT_TRUE(pair.server.shutdown(SHUT_RD));
    EXPECT_EQ(join_fiber(reader, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_TRUE(pair.client.write("late"));
    EXPECT_EQ(Files::wait_ready(pair.server.handle, Direction::kRead, {}).error(), std::error_code());
    pair.close();
  });
}

TEST(SimStream, ShutdownRefusesWhatTheKernelRefuses) {
  with_pair([](SimRunner&, SimPair& pair) {
    EXPECT_EQ(pair.client.shutdown(17).error(), kernel(EINVAL));
    ASSERT_TRUE(pair.client.write("unread"));
    ASSERT_TRUE(pair.server.read(1));
    ASSERT_TRUE(pair.server.close());
    EXPECT_EQ(pair.client.read().error(), kernel(ECONNRESET));
    EXPECT_EQ(pair.client.shutdown(SHUT_WR).error(), kernel(ENOTCONN));
    EXPECT_EQ(Files::peer_address(pair.client.handle).error(), kernel(ENOTCONN));
    EXPECT_TRUE(pair.client.close());
  });
}

TEST(SimStream, ClosingWithUnreadDataResetsThePeer) {
  with_pair([](SimRunner&, SimPair& pair) {
    ASSERT_TRUE(pair.server.write("answer"));
    ASSERT_TRUE(pair.client.write("never read"));
    EXPECT_EQ(pair.client.read_exact(1), "a");
    ASSERT_TRUE(Files::wait_ready(pair.server.handle, Direction::kRead, {}));
    ASSERT_TRUE(pair.server.close());
    ASSERT_TRUE(test::sleep_until(Deadline::after(std::chrono::seconds(1))) == WaitOutcome::kTimedOut);
    EXPECT_EQ(pair.client.read_exact(5), "nswer") << "what has arrived is read before the error";
    EXPECT_EQ(pair.client.read().error(), kernel(ECONNRESET));
    EXPECT_EQ(pair.client.read().error(), Errc::end_of_file) << "the error is reported once";
    EXPECT_EQ(pair.client.write("more").error(), kernel(EPIPE));
    EXPECT_TRUE(pair.client.close());
  });
}

TEST(SimStream, AResetFailsAWriteToo) {
  with_pair([](SimRunner&, SimPair& pair) {
    ASSERT_TRUE(pair.client.write("never read"));
    ASSERT_TRUE(Files::wait_ready(pair.server.handle, Direction::kRead, {}));
    ASSERT_TRUE(pair.server.close());
    test::sleep_until(Deadline::after(std::chrono::seconds(1)));
    EXPECT_EQ(pair.client.write("more").error(), kernel(ECONNRESET));
    EXPECT_EQ(pair.client.write("more").error(), kernel(EPIPE));
    EXPECT_TRUE(pair.client.close());
  });
}

TEST(SimStream, WritingToAClosedPeerIsABrokenPipeFromTheSecondTimeOn) {
  with_pair([](SimRunner&, SimPair& pair) {
    ASSERT_TRUE(pair.server.close());
    EXPECT_EQ(pair.client.read().error(), Errc::end_of_file);
    EXPECT_TRUE(pair.client.write("into the void")) << "the peer's reset is still to come";
    test::sleep_until(Deadline::after(std::chrono::seconds(1)));
    EXPECT_EQ(pair.client.write("more").error(), kernel(EPIPE));
    EXPECT_TRUE(pair.client.close());
  });
}

TEST(SimStream, AResetWakesReadersAndWritersAlike) {
  SimRunner runner(with_buffer(4));
  int reset = 0;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    ASSERT_TRUE(pair.client.write("full"));
    ASSERT_TRUE(Files::wait_ready(pair.server.handle, Direction::kRead, {}));
    const auto fails = [&reset](const std::error_code& error) {
      reset += error == kernel(ECONNRESET) ? 1 : 0;
    };
    Fiber& reader = runner.spawn([&, client = pair.client] { fails(client.read().error()); });
    Fiber& writer = runner.spawn([&, client = pair.client] {
      const std::error_code error = client.write("more").error();
      EXPECT_TRUE(error == kernel(EPIPE) || error == kernel(ECONNRESET)) << error;
    });
    runner.yield();
    ASSERT_TRUE(pair.server.close());
    EXPECT_EQ(join_fiber(reader, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_EQ(join_fiber(writer, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_TRUE(pair.client.close());
  });
  runner.run();
  EXPECT_EQ(reset, 1) << "the first to look takes the error";
}

TEST(SimStream, CloseWakesWaitersAndWaitsUntilTheyHaveLeft) {
  SimRunner runner(with_buffer(4));
  std::string order;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    ASSERT_TRUE(pair.client.write("full"));
    runner.spawn([&, client = pair.client] {
      EXPECT_EQ(client.read().error(), Errc::closed);
      order += "reader ";
    });
    runner.spawn([&, client = pair.client] {
      EXPECT_EQ(client.write("more").error(), Errc::closed);
      order += "writer ";
    });
    runner.yield();
    EXPECT_TRUE(pair.client.close());
    order += "closer";
    EXPECT_EQ(pair.client.close().error(), Errc::closed);
    EXPECT_EQ(pair.client.read().error(), Errc::closed);
    EXPECT_EQ(pair.client.write("x").error(), Errc::closed);
    EXPECT_EQ(pair.server.read_exact(4), "full");
    EXPECT_EQ(pair.server.read().error(), Errc::end_of_file);
    EXPECT_TRUE(pair.server.close());
  });
  runner.run();
  EXPECT_EQ(order, "reader writer closer");
}

TEST(SimStream, WaitReadyTakesNothing) {
  with_pair([](SimRunner&, SimPair& pair) {
    EXPECT_TRUE(Files::wait_ready(pair.client.handle, Direction::kWrite, {}));
    const Deadline soon = Deadline::after(std::chrono::milliseconds(1));
    EXPECT_EQ(Files::wait_ready(pair.server.handle, Direction::kRead, soon).error(), Errc::timed_out);
    ASSERT_TRUE(pair.client.write("x"));
    EXPECT_TRUE(Files::wait_ready(pair.server.handle, Direction::kRead, {}));
    EXPECT_EQ(pair.server.read().value(), "x");
    pair.close();
  });
}

TEST(SimStream, DataOnItsWayToAClosedEndIsAnsweredWithAReset) {
  SimOptions options;
  options.latency_min_ns = options.latency_max_ns = 1'000'000;
  with_pair(
      [](SimRunner&, SimPair& pair) {
        ASSERT_TRUE(pair.client.write("meets nobody"));
        ASSERT_TRUE(pair.server.close());
        EXPECT_EQ(pair.client.read().error(), Errc::end_of_file) << "the end was sent first";
        test::sleep_until(Deadline::after(std::chrono::milliseconds(5)));
        EXPECT_EQ(pair.client.write("x").error(), kernel(EPIPE));
        EXPECT_TRUE(pair.client.close());
      },
      options);
}

TEST(SimStream, ASocketOfAnotherWorldIsRefused) {
  SimEventLoop other;
  with_pair([&](SimRunner& runner, SimPair& pair) {
    std::byte byte{};
    for (Network* world : {other.network(), static_cast<Network*>(nullptr)}) {
      Network* const own = std::exchange(runner.network, world);
      EXPECT_EQ(Files::read(pair.client.handle, std::span(&byte, 1), {}).error(), Errc::unsupported);
      EXPECT_EQ(Files::write(pair.client.handle, std::span(&byte, 1), {}).error(), Errc::unsupported);
      EXPECT_EQ(Files::wait_ready(pair.client.handle, Direction::kRead, {}).error(), Errc::unsupported);
      EXPECT_EQ(Files::shutdown(pair.client.handle, SHUT_WR).error(), Errc::unsupported);
      EXPECT_EQ(Files::local_address(pair.client.handle).error(), Errc::unsupported);
      runner.network = own;
    }
    pair.close();
  });
}

TEST(SimStream, HandlesThatOutliveTheWorldAreClosed) {
  test::SimHandle left{};
  {
    SimRunner runner;
    runner.spawn([&] { left = SimPair(runner.loop).client; });
    runner.run();
  }
  EXPECT_EQ(close_descriptor(left.handle).error(), Errc::closed);
}

}  // namespace
}  // namespace weft
