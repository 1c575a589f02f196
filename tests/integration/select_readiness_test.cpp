// SPDX-License-Identifier: Apache-2.0
// A select over the readiness of sockets, of the kernel and of a simulated world.
#include "support/any_context.hpp"
#include "support/tcp.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/select.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::bytes;
using test::read_text;
using test::spawn_waiting;
using test::Streams;

class SelectReadinessTest : public test::InAnyContext {};

constexpr auto kNever = [](auto&&...) { ADD_FAILURE() << "a branch that was not ready was taken"; };
constexpr auto kAnything = [](auto&&...) {};

TEST_P(SelectReadinessTest, WaitsUntilThereIsSomethingToRead) {
  run([] {
    Streams streams;
    Channel<int> channel;
    EXPECT_EQ(select(readable(streams.server, kNever), otherwise(kAnything)).index(), 1u);
    auto selecting = spawn_waiting([&] {
      std::string text;
      select(receive(channel, kNever), readable(streams.server, [&] { text = *read_text(streams.server); }));
      return text;
    });
    EXPECT_TRUE(streams.client.write_all("hello"));
    EXPECT_EQ(selecting.join_uncancellable(), "hello");
    EXPECT_EQ(channel.try_send(1).error(), Errc::would_block);
  });
}

TEST_P(SelectReadinessTest, TakesAReadyStreamAtOnceAndReadsNothing) {
  run([] {
    Streams streams;
    EXPECT_TRUE(streams.client.write_all("abc"));
    EXPECT_TRUE(streams.server.wait_readable());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(select(readable(streams.server, kAnything), after(1h, kNever)).index(), 0u);
    }
    EXPECT_EQ(*read_text(streams.server), "abc");
    EXPECT_EQ(select(readable(streams.server, kNever), after(1ms, kAnything)).index(), 1u);
  });
}

TEST_P(SelectReadinessTest, LosesToAChannelAndLeavesTheDataToTheNextRead) {
  run([] {
    Streams streams;
    Channel<int> channel;
    auto selecting = spawn_waiting(
        [&] { return select(readable(streams.server, kNever), receive(channel, kAnything)).index(); });
    channel.send(1).value();
    EXPECT_EQ(selecting.join_uncancellable(), 1u);
    EXPECT_TRUE(streams.client.write_all("still there"));
    EXPECT_EQ(*read_text(streams.server), "still there");
  });
}

TEST_P(SelectReadinessTest, WaitsForRoomToWrite) {
  run([] {
    Streams streams;
    EXPECT_EQ(select(writable(streams.client, kAnything), after(1h, kNever)).index(), 0u);
    test::fill(streams.client);
    auto selecting = spawn_waiting([&] { return select(writable(streams.client, kAnything)).index(); });
    auto reader = spawn([&] {
      while (read_text(streams.server, 1 << 16)) {}
    });
    EXPECT_EQ(selecting.join_uncancellable(), 0u);
    EXPECT_TRUE(streams.client.close());
    reader.join_uncancellable();
  });
}

TEST_P(SelectReadinessTest, TellsThatTheStreamWasClosed) {
  run([] {
    Streams streams;
    auto told = spawn_waiting([&] {
      std::error_code error;
      EXPECT_TRUE(select(readable(streams.server, [&](Result<void> ready) { error = ready.error(); })));
      return error;
    });
    auto untold =
        spawn_waiting([&] { return select(readable(streams.server, kAnything), after(1h, kNever)); });
    EXPECT_TRUE(streams.server.close());
    EXPECT_EQ(told.join_uncancellable(), Errc::closed);
    untold.join_uncancellable();
    EXPECT_EQ(select(readable(streams.server, [] { ADD_FAILURE(); })).error(), Errc::closed);
    net::TcpStream none;
    EXPECT_EQ(select(writable(none, [] { ADD_FAILURE(); }), after(1h, kNever)).error(), Errc::closed);
  });
}

TEST_P(SelectReadinessTest, IsCancelledLikeEveryWait) {
  run([] {
    Streams streams;
    auto selecting = spawn_waiting([&] { return select(readable(streams.server, kNever)).error(); });
    selecting.cancel();
    EXPECT_EQ(selecting.join_uncancellable(), Errc::cancelled);
    EXPECT_TRUE(streams.client.write_all("x"));
    EXPECT_EQ(*read_text(streams.server), "x");
  });
}

TEST_P(SelectReadinessTest, IsFairBetweenStreamsAndChannels) {
  run([] {
    Streams streams;
    EXPECT_TRUE(streams.client.write_all("x"));
    EXPECT_TRUE(streams.server.wait_readable());
    Channel<int> channel(1);
    int streamed = 0;
    for (int i = 0; i < 400; ++i) {
      static_cast<void>(channel.try_send(1));
      select(readable(streams.server, [&] { ++streamed; }), receive(channel, kAnything));
    }
    EXPECT_GT(streamed, 100);
    EXPECT_LT(streamed, 300);
  });
}

// L4: several wait for one edge; whoever is woken and leaves without reading passes the turn.
TEST_P(SelectReadinessTest, PassesTheTurnToOthersThatWaitForTheSameStream) {
  run([] {
    Streams streams;
    std::vector<JoinHandle<std::size_t>> selecting;
    for (int i = 0; i < 4; ++i) {
      selecting.push_back(spawn_waiting([&] { return select(readable(streams.server, kAnything)).index(); }));
    }
    EXPECT_TRUE(streams.client.write_all("x"));
    for (auto& one : selecting) EXPECT_EQ(one.join_uncancellable(), 0u);
  });
}

TEST_P(SelectReadinessTest, AcceptsFromSeveralListeners) {
  run([] {
    auto one = net::TcpListener::bind("127.0.0.1:0").value();
    auto other = net::TcpListener::bind("127.0.0.1:0").value();
    auto client = spawn([&] { return net::TcpStream::connect(other.local_address().value()).has_value(); });
    bool accepted = false;
    EXPECT_EQ(select(readable(one, kNever), readable(other, [&] { accepted = other.accept().has_value(); }))
                  .index(),
              1u);
    EXPECT_TRUE(accepted);
    EXPECT_TRUE(client.join_uncancellable());
  });
}

// A request to stop beside the work: what this branch is for.
TEST_P(SelectReadinessTest, ServesManyMessagesUntilItIsToldToStop) {
  run([] {
    Streams streams;
    Channel<int> stop;
    auto server = spawn([&] {
      int messages = 0;
      bool running = true;
      while (running) {
        select(readable(streams.server,
                        [&] {
                          const std::string text = *read_text(streams.server, 1);
                          EXPECT_TRUE(streams.server.write_all(text));
                          ++messages;
                        }),
               receive(stop, [&](Result<int>) { running = false; }));
      }
      return messages;
    });
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(streams.client.write_all("m"));
      EXPECT_EQ(*read_text(streams.client), "m");
    }
    stop.close();
    EXPECT_EQ(server.join_uncancellable(), 100);
  });
}

INSTANTIATE_TEST_SUITE_P(, SelectReadinessTest, test::all_contexts(), test::kind_name);

TEST(SelectReadinessAcrossContexts, MovesTheDescriptorToTheContextThatSelects) {
  ConcurrentContext a("a"), b("b");
  a.spawn([&] {
     Streams streams;
     EXPECT_TRUE(streams.client.write_all("1"));
     EXPECT_EQ(*read_text(streams.server), "1");
     auto selecting = b.spawn([&] {
       std::string text;
       select(readable(streams.server, [&] { text = *read_text(streams.server); }), after(1h, kNever));
       return text;
     });
     test::until_it_waits(selecting);
     EXPECT_TRUE(streams.client.write_all("2"));
     EXPECT_EQ(selecting.join_uncancellable(), "2");
   }).join_uncancellable();
}

}  // namespace
}  // namespace weft
