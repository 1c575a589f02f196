// SPDX-License-Identifier: Apache-2.0
// The end of a peer, for whoever waits for it and for scopes that end with it, under every strategy and in a
// simulated world. The named races are those of docs/design/peer-end.md.
#include "support/any_context.hpp"
#include "support/tcp.hpp"
#include "support/waiting.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/net/peer_scope.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace weft {
namespace {

using namespace std::chrono_literals;
using net::PeerScope;
using net::ShutdownMode;
using net::TcpStream;
using test::bytes;
using test::read_text;
using test::spawn_waiting;
using test::Streams;

class PeerEndTest : public test::InAnyContext {
 protected:
  bool simulated() const { return GetParam().kind == test::AnyContextKind::kSimulated; }
  static void end(Streams& streams, int way) {
    if (way == 2) return reset(streams);
    EXPECT_TRUE(way == 0 ? streams.client.close() : streams.client.shutdown(ShutdownMode::kWrite));
  }
  /// Resets the connection: what was received is unread, or the linger time is zero.
  static void reset(Streams& streams) {
    EXPECT_TRUE(streams.server.write_all("unread"));
    EXPECT_TRUE(streams.client.wait_readable());
    EXPECT_TRUE(streams.client.close());
  }
};

TEST_P(PeerEndTest, AWaitForItEndsWhenThePeerClosesShutsDownOrResets) {
  run([] {
    for (const int way : {0, 1, 2}) {
      Streams streams;
      auto waiting = spawn_waiting([&] { return streams.server.wait_closed(); });
      end(streams, way);
      EXPECT_TRUE(waiting.join_uncancellable());
      EXPECT_TRUE(streams.server.wait_closed());  // it has come already
    }
  });
}

TEST_P(PeerEndTest, ItIsNoticedBehindBytesThatNobodyHasReadAndTheyStay) {
  run([] {
    Streams streams;
    EXPECT_TRUE(streams.client.write_all("unread"));
    auto waiting = spawn_waiting([&] { return streams.server.wait_closed(); });
    EXPECT_TRUE(streams.client.close());
    EXPECT_TRUE(waiting.join_uncancellable());
    EXPECT_EQ(*read_text(streams.server), "unread");
    EXPECT_EQ(read_text(streams.server).error(), Errc::end_of_file);
  });
}

TEST_P(PeerEndTest, AResetIsWaitedForWhileThePeerHasOnlyFinished) {
  run([] {
    Streams streams;
    EXPECT_TRUE(streams.client.shutdown(ShutdownMode::kWrite));
    EXPECT_TRUE(streams.server.wait_closed());
    EXPECT_EQ(streams.server.wait_closed(PeerEnd::kReset, Deadline::after(1ms)).error(), Errc::timed_out);
    auto waiting = spawn_waiting([&] { return streams.server.wait_closed(PeerEnd::kReset); });
    reset(streams);
    EXPECT_TRUE(waiting.join_uncancellable());
  });
}

TEST_P(PeerEndTest, AWaitForItEndsByDeadlineCancelAndClose) {
  run([] {
    Streams streams;
    EXPECT_EQ(streams.server.wait_closed(Deadline::after(1ms)).error(), Errc::timed_out);
    auto cancelled = spawn_waiting([&] { return streams.server.wait_closed(); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    auto closed = spawn_waiting([&] { return streams.server.wait_closed(); });
    EXPECT_TRUE(streams.server.close());
    EXPECT_EQ(closed.join_uncancellable().error(), Errc::closed);
    EXPECT_EQ(streams.server.wait_closed().error(), Errc::closed);
    TcpStream none;
    EXPECT_EQ(none.wait_closed().error(), Errc::closed);
  });
}

TEST_P(PeerEndTest, ReadersAndThoseWhoWaitForTheEndAreBothServed) {
  run([] {
    Streams streams;
    auto first = spawn_waiting([&] { return streams.server.wait_closed(); });
    auto second = spawn_waiting([&] { return streams.server.wait_closed(PeerEnd::kFinished); });
    for (const char* text : {"one", "two", "three"}) {
      auto reading = spawn_waiting([&] { return *read_text(streams.server); });
      EXPECT_TRUE(streams.client.write_all(text));
      EXPECT_EQ(reading.join_uncancellable(), text);
    }
    EXPECT_TRUE(streams.client.close());
    EXPECT_TRUE(first.join_uncancellable());
    EXPECT_TRUE(second.join_uncancellable());
  });
}

TEST_P(PeerEndTest, AScopeEndsWithIt) {
  run([] {
    for (const int way : {0, 1, 2}) {
      Streams streams;
      auto working = spawn_waiting([&] {
        PeerScope scope(streams.server);
        EXPECT_TRUE(scope.status());
        const Result<void> slept = sleep(1h);
        EXPECT_EQ(scope.status().error(), Errc::cancelled);
        return slept;
      });
      end(streams, way);
      EXPECT_EQ(working.join_uncancellable().error(), Errc::cancelled);
    }
  });
}

TEST_P(PeerEndTest, AScopeOfAResetOutlivesAPeerThatHasOnlyFinished) {
  run([] {
    Streams streams;
    auto working = spawn_waiting([&] {
      const PeerScope scope(streams.server, PeerEnd::kReset);
      return sleep(1h);
    });
    EXPECT_TRUE(streams.client.shutdown(ShutdownMode::kWrite));
    EXPECT_TRUE(streams.server.wait_closed());
    reset(streams);
    EXPECT_EQ(working.join_uncancellable().error(), Errc::cancelled);
  });
}

TEST_P(PeerEndTest, ScopesGroupsAndChildrenWithinItEndToo) {
  run([] {
    Streams streams;
    auto working = spawn_waiting([&] {
      const PeerScope scope(streams.server);
      const CancelScope within(Deadline::after(1h));
      TaskGroup<void> group;
      Result<void> child;
      group.spawn([&] { child = sleep(1h); });
      const Result<void> own = sleep(1h);
      group.discard();
      EXPECT_EQ(child.error(), Errc::cancelled);
      return own;
    });
    EXPECT_TRUE(streams.client.close());
    EXPECT_EQ(working.join_uncancellable().error(), Errc::cancelled);
  });
}

TEST_P(PeerEndTest, AScopeThatIsMadeLateEndsAtItsFirstWait) {
  run([] {
    Streams streams;
    EXPECT_TRUE(streams.client.close());
    EXPECT_TRUE(streams.server.wait_closed());
    const PeerScope scope(streams.server);
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
    EXPECT_TRUE(this_fiber::cancel_requested());
  });
}

TEST_P(PeerEndTest, AScopeIsOverWhenItWasLeft) {
  run([] {
    Streams streams;
    {
      const PeerScope scope(streams.server);
      EXPECT_TRUE(sleep(1ms));
    }
    EXPECT_TRUE(streams.client.close());
    EXPECT_TRUE(streams.server.wait_closed());
    EXPECT_TRUE(sleep(1ms));
    EXPECT_FALSE(this_fiber::cancel_requested());
  });
}

TEST_P(PeerEndTest, AScopeEndsWithTheStreamItself) {
  run([] {
    Streams streams;
    auto working = spawn_waiting([&] {
      const PeerScope scope(streams.server);
      return sleep(1h);
    });
    EXPECT_TRUE(streams.server.close());
    EXPECT_EQ(working.join_uncancellable().error(), Errc::cancelled);
    const PeerScope late(streams.server);
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
  });
}

TEST_P(PeerEndTest, OurOwnEndOfReadingIsNotThePeers) {
  run([this] {
    Streams streams;
    EXPECT_TRUE(streams.server.shutdown(ShutdownMode::kRead));
    auto working = spawn_waiting([&] {
      const PeerScope scope(streams.server);
      return sleep(20ms);
    });
    EXPECT_TRUE(working.join_uncancellable());
    EXPECT_EQ(streams.server.wait_closed(Deadline::after(1ms)).error(), Errc::timed_out);
    if (simulated()) return;
    auto reset_noticed = spawn_waiting([&] { return streams.server.wait_closed(); });
    EXPECT_TRUE(streams.client.set_linger(0s));
    EXPECT_TRUE(streams.client.close());
    EXPECT_TRUE(reset_noticed.join_uncancellable());
  });
}

// E1: the edge takes the watch while its scope is left, again and again.
TEST_P(PeerEndTest, E1_ScopesThatAreLeftWhileThePeerEndsAreEitherEndedOrNot) {
  run([] {
    for (int i = 0; i < 100; ++i) {
      Streams streams;
      auto working = spawn([&] {
        for (;;) {
          PeerScope scope(streams.server);
          if (!sleep(10us)) return scope.status().error();
        }
      });
      yield();
      EXPECT_TRUE(streams.client.close());
      EXPECT_EQ(working.join_uncancellable(), Errc::cancelled);
    }
  });
}

// E2: the descriptor is closed, and its record stands for another file, while a scope of it is left.
TEST_P(PeerEndTest, E2_CloseAgainstTheEdgeAndTheEndOfTheScope) {
  run([] {
    for (int i = 0; i < 100; ++i) {
      Streams streams;
      auto working = spawn_waiting([&] {
        const PeerScope scope(streams.server);
        return sleep(1h);
      });
      auto closing = spawn([&] { EXPECT_TRUE(streams.server.close()); });
      EXPECT_TRUE(streams.client.close());
      EXPECT_EQ(working.join_uncancellable().error(), Errc::cancelled);
      closing.join_uncancellable();
    }
  });
}

INSTANTIATE_TEST_SUITE_P(, PeerEndTest, test::all_contexts(), test::kind_name);

}  // namespace
}  // namespace weft
