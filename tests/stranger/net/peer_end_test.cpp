// SPDX-License-Identifier: Apache-2.0
// Whoever works for a peer learns that it is gone.
//
// What was wrong: only a read told, and it takes what the peer has sent.
#include "stranger/net/streams.hpp"

#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::Streams;
using weft::Deadline;
using weft::Errc;
using weft::PeerEnd;
using weft::net::PeerScope;
using weft::net::ShutdownMode;
using weft::net::TcpStream;

TEST(PeerEnd, IsWaitedForWithoutReading) {
  stranger::in_fiber([] {
    Streams streams;
    EXPECT_EQ(streams.server.wait_closed(Deadline::after(1ms)).error(), Errc::timed_out);
    streams.client.write_all("last words").value();
    EXPECT_EQ(streams.server.wait_closed(Deadline::after(1ms)).error(), Errc::timed_out);
    streams.client.close().value();
    EXPECT_TRUE(streams.server.wait_closed());
    EXPECT_TRUE(streams.server.wait_closed());
    EXPECT_EQ(stranger::read_all(streams.server, 100), "last words");
  });
}

TEST(PeerEnd, OfAPeerThatOnlyShutsDownItsSendingSideIsNoReset) {
  stranger::in_fiber([] {
    Streams streams;
    streams.client.shutdown(ShutdownMode::kWrite).value();
    EXPECT_TRUE(streams.server.wait_closed());
    EXPECT_EQ(streams.server.wait_closed(PeerEnd::kReset, Deadline::after(1ms)).error(), Errc::timed_out);
    streams.server.write_all("answer").value();
    EXPECT_EQ(stranger::read_all(streams.client, 6), "answer");
    streams.client.set_linger(0s).value();
    streams.client.close().value();
    EXPECT_TRUE(streams.server.wait_closed(PeerEnd::kReset));
  });
}

TEST(PeerEnd, EndsTheWaitOfAScopeWithoutTakingABuffer) {
  stranger::in_fiber([] {
    Streams streams;
    weft::Channel<int> nothing;
    auto working = weft::spawn([&] {
      PeerScope scope(streams.server);
      EXPECT_TRUE(scope.status());
      const std::error_code error = nothing.receive().error();
      EXPECT_EQ(scope.status().error(), Errc::cancelled);
      return error == Errc::cancelled;
    });
    weft::yield();
    streams.client.write_all("unread").value();
    streams.client.close().value();
    EXPECT_TRUE(working.join().value());
    EXPECT_TRUE(weft::sleep(1ms));  // outside of the scope
    EXPECT_EQ(stranger::read_all(streams.server, 100), "unread");
  });
}

TEST(PeerEnd, OfAStreamThatIsClosedOrNoneIsAnError) {
  stranger::in_fiber([] {
    Streams streams;
    TcpStream none;
    EXPECT_EQ(none.wait_closed().error(), Errc::closed);
    auto waiting = weft::spawn([&] { return streams.server.wait_closed().error() == Errc::closed; });
    weft::yield();
    streams.server.close().value();
    EXPECT_TRUE(waiting.join().value());
    PeerScope scope(streams.server);
    EXPECT_EQ(weft::sleep(1h).error(), Errc::cancelled);
  });
}

TEST(PeerScopeDeathTest, EndsInItsOwnFiberOnly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
                 auto stream = weft::net::TcpStream::connect(listener.local_address().value()).value();
                 auto scope = std::make_unique<weft::net::PeerScope>(stream);
                 weft::spawn([&] { scope.reset(); }).join().value();
               }),
               "BUG: a peer scope ends in another fiber than it began in");
}

}  // namespace
