// SPDX-License-Identifier: Apache-2.0
// A deadline ends a loop of calls that never have to wait.
//
// What was wrong: only waits looked at the deadline, so that a reader whose peer is fast went on for ever.
#include "stranger/net/streams.hpp"

namespace {

using namespace std::chrono_literals;
using stranger::bytes;
using stranger::Streams;
using weft::Deadline;
using weft::Errc;

/// More than the budget of operations that a fiber has without a switch.
constexpr std::size_t kCalls = 200;

/// How many of kCalls calls have success; those that do not must say that the deadline has passed.
template <class Call>
std::size_t successes(Call&& call) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kCalls; ++i) {
    if (const auto result = call(Deadline::after(-1s))) {
      ++count;
    } else {
      EXPECT_EQ(result.error(), Errc::timed_out);
    }
  }
  return count;
}

/// Some, as a deadline that has passed does not forbid what need not wait, and not all.
void expect_ended_now_and_then(std::size_t count) {
  EXPECT_LT(count, kCalls);
  EXPECT_GE(count, kCalls / 2);
}

TEST(DeadlineOfALoop, EndsReadsThatAlwaysFindData) {
  stranger::in_fiber([] {
    Streams ends;
    ASSERT_TRUE(ends.server.write_all(std::string(10 * kCalls, 'x')));
    ASSERT_TRUE(ends.client.wait_readable());
    std::string byte(1, '\0');
    expect_ended_now_and_then(successes(
        [&](Deadline deadline) { return ends.client.read_some_until(stranger::room(byte), deadline); }));
    expect_ended_now_and_then(successes([&](Deadline deadline) {
      const std::span<std::byte> several[] = {stranger::room(byte)};
      return ends.client.read_some_until(several, deadline);
    }));
    expect_ended_now_and_then(
        successes([&](Deadline deadline) { return ends.client.wait_readable(deadline); }));
  });
}

TEST(DeadlineOfALoop, EndsWritesThatAlwaysFindRoom) {
  stranger::in_fiber([] {
    Streams ends;
    expect_ended_now_and_then(
        successes([&](Deadline deadline) { return ends.client.write_some_until(bytes("x"), deadline); }));
    expect_ended_now_and_then(
        successes([&](Deadline deadline) { return ends.client.write_all_until(bytes("x"), deadline); }));
    expect_ended_now_and_then(successes([&](Deadline deadline) {
      const std::span<const std::byte> several[] = {bytes("x"), bytes("y")};
      return ends.client.write_all_until(several, deadline);
    }));
    expect_ended_now_and_then(
        successes([&](Deadline deadline) { return ends.client.wait_writable(deadline); }));
  });
}

TEST(DeadlineOfALoop, EndsAReaderOfAPeerThatNeverStops) {
  stranger::in_fiber([] {
    Streams ends;
    auto writer = weft::spawn([&] {
      const std::string block(1 << 16, 'x');
      while (ends.server.write_all(block)) {}
    });
    std::string buffer(16, '\0');
    const Deadline deadline = Deadline::after(5ms);
    weft::Result<std::size_t> got = ends.client.read_some_until(stranger::room(buffer), deadline);
    while (got) got = ends.client.read_some_until(stranger::room(buffer), deadline);
    EXPECT_EQ(got.error(), Errc::timed_out);
    EXPECT_TRUE(ends.client.read_some(stranger::room(buffer))) << "the stream is as it was";
    EXPECT_TRUE(ends.client.close());
    writer.join_uncancellable();
  });
}

TEST(DeadlineOfALoop, EndsWholeBuffersBetweenTheirSteps) {
  stranger::in_fiber([] {
    Streams ends;
    auto writer = weft::spawn([&] {
      const std::string block(1 << 16, 'x');
      while (ends.server.write_all(block)) {}
    });
    std::string all(64 << 20, '\0');  // more than one step has, however fast the peer
    const auto got = ends.client.read_exact_until(stranger::room(all), Deadline::after(1ms));
    EXPECT_EQ(got.error(), Errc::timed_out);
    EXPECT_LT(got.bytes(), all.size());
    EXPECT_TRUE(ends.client.close());
    writer.join_uncancellable();
  });
}

TEST(DeadlineOfALoop, EndsAcceptsOfAQueueThatIsNeverEmpty) {
  stranger::in_fiber([] {
    auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
    std::vector<weft::net::TcpStream> clients;
    for (std::size_t i = 0; i < kCalls; ++i)
      clients.push_back(weft::net::TcpStream::connect(listener.local_address().value()).value());
    expect_ended_now_and_then(successes([&](Deadline deadline) { return listener.accept_until(deadline); }));
  });
}

TEST(DeadlineOfALoop, EndsChannelsThatAlwaysHaveSomething) {
  stranger::in_fiber([] {
    weft::Channel<int> channel(kCalls);
    expect_ended_now_and_then(successes([&](Deadline deadline) { return channel.send_until(1, deadline); }));
    while (channel.size() < kCalls) ASSERT_TRUE(channel.send(1));
    expect_ended_now_and_then(successes([&](Deadline deadline) { return channel.receive_until(deadline); }));
  });
}

// Who asks again and again with a deadline that has passed lets the others run, who have what it asks for.
TEST(DeadlineOfALoop, APollingLoopLetsOthersRun) {
  stranger::in_fiber([] {
    Streams ends;
    auto writer = weft::spawn([&] { EXPECT_TRUE(ends.server.write_all("x")); });
    std::string byte(1, '\0');
    while (!ends.client.read_some_until(stranger::room(byte), Deadline::after_ns(0))) {}
    writer.join_uncancellable();
    EXPECT_EQ(byte, "x");
  });
}

}  // namespace
