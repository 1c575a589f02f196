// SPDX-License-Identifier: Apache-2.0
// Each writing call is one piece, whoever else writes to the same stream, from whatever context.
//
// What was wrong: a write that had to wait in the middle let the other writers in, so that two large ones
// arrived in dozens of fragments.
#include "stranger/net/streams.hpp"

#include <set>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::bytes;
using stranger::Streams;
using weft::Deadline;
using weft::Errc;
using weft::net::TcpStream;

constexpr std::size_t kLarge = 600'000;  // more than fits the buffers of a Small connection at once

/// A connection that holds little.
struct Small : Streams {
  Small() { EXPECT_TRUE(client.set_send_buffer_size(16'384)); }
};

/// What came, as runs of one character.
struct Runs {
  std::string order;               ///< the characters
  std::vector<std::size_t> sizes;  ///< how often each came in a row

  void take(std::span<const char> text) {
    for (const char c : text) {
      if (order.empty() || order.back() != c) {
        order += c;
        sizes.push_back(0);
      }
      ++sizes.back();
    }
  }
};

/// Reads to the end of the stream.
Runs read_runs(TcpStream& stream) {
  Runs runs;
  std::string buffer(100'000, '\0');
  while (const auto size = stream.read_some(stranger::room(buffer)))
    runs.take(std::span(buffer).first(*size));
  return runs;
}

/// The ways to write `size` times `c` as one piece.
using Write = void (*)(TcpStream&, char c, std::size_t size);

void by_write_all(TcpStream& stream, char c, std::size_t size) {
  EXPECT_EQ(stream.write_all(std::string(size, c)).value(), size);
}

void by_several_buffers(TcpStream& stream, char c, std::size_t size) {
  const std::string text(size, c);
  std::vector<std::span<const std::byte>> buffers;
  for (std::size_t i = 0; i < 40; ++i) buffers.push_back(bytes(text).subspan(i * (size / 40), size / 40));
  buffers.push_back(bytes(text).subspan(40 * (size / 40)));
  EXPECT_EQ(stream.write_all(buffers).value(), size);
}

void by_write_then_read(TcpStream& stream, char c, std::size_t size) {
  std::string answer(10, '\0');
  EXPECT_EQ(stream.write_then_read_some(bytes(std::string(size, c)), stranger::room(answer)).error(),
            Errc::end_of_file);
}

void expect_two_pieces(Write first, Write second, std::size_t size, std::uint32_t threads) {
  stranger::in_fiber(
      [&] {
        weft::ConcurrentContext other("other");
        Small ends;
        auto a = weft::spawn([&] { first(ends.client, 'a', size); });
        auto b = other.spawn([&] { second(ends.client, 'b', size); });
        // A write that is followed by a read ends when the answer, the end of the file, comes.
        auto ender = weft::spawn([&] {
          Runs runs;
          std::string buffer(100'000, '\0');
          for (std::size_t total = 0; total < 2 * size;) {
            const std::size_t got = ends.server.read_some(stranger::room(buffer)).value();
            runs.take(std::span(buffer).first(got));
            total += got;
          }
          EXPECT_TRUE(ends.server.shutdown(weft::net::ShutdownMode::kWrite));
          return runs;
        });
        a.join_uncancellable();
        b.join_uncancellable();
        const Runs runs = ender.join_uncancellable();
        EXPECT_EQ(runs.sizes, (std::vector{size, size})) << runs.order;
      },
      threads);
}

TEST(WritePieces, TwoLargeWritesArriveOneAfterTheOther) {
  for (const Write first : {by_write_all, by_several_buffers, by_write_then_read}) {
    for (const Write second : {by_write_all, by_several_buffers, by_write_then_read}) {
      expect_two_pieces(first, second, kLarge, 1);
      expect_two_pieces(first, second, kLarge, 2);
    }
  }
}

TEST(WritePieces, SmallOnesThatArePutOffToo) {
  for (int i = 0; i < 50; ++i) {
    expect_two_pieces(by_write_then_read, by_write_then_read, 1500, 2);
    expect_two_pieces(by_write_then_read, by_write_all, 1500, 1);
  }
}

// Not for the other's answer: only for its write.
TEST(WritePieces, WhoWaitsForAnAnswerDoesNotKeepTheOthersFromWriting) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{5'000}}) {
    stranger::in_fiber([size] {
      Small ends;
      std::string answer(1, '\0');
      auto asking = weft::spawn([&] {
        EXPECT_EQ(
            ends.client.write_then_read_some(bytes(std::string(size, 'q')), stranger::room(answer)).value(),
            1u);
      });
      weft::yield();
      EXPECT_EQ(stranger::read_all(ends.server, size), std::string(size, 'q'));
      EXPECT_TRUE(ends.client.write_all("x")) << "the question was sent, and nobody answers";
      EXPECT_EQ(stranger::read_all(ends.server, 1), "x");
      EXPECT_TRUE(ends.server.write_all("!"));
      asking.join_uncancellable();
      EXPECT_EQ(answer, "!");
    });
  }
}

TEST(WritePieces, AWriteThatIsPutOffComesBeforeTheOneThatFollowsIt) {
  stranger::in_fiber([] {
    Small ends;
    std::string answer(1, '\0');
    // Read until it is empty: from now on the client's reads wait, and its writes before them may be put off.
    EXPECT_EQ(ends.client.read_some_until(stranger::room(answer), Deadline::after_ns(0)).error(),
              Errc::timed_out);
    auto asking = weft::spawn([&] {
      EXPECT_EQ(ends.client.write_then_read_some(bytes("question"), stranger::room(answer)).value(), 1u);
    });
    weft::yield();
    auto telling = weft::spawn([&] { EXPECT_TRUE(ends.client.write_all(" and more")); });
    EXPECT_EQ(stranger::read_all(ends.server, 17), "question and more");
    telling.join_uncancellable();
    EXPECT_TRUE(ends.server.write_all("!"));
    asking.join_uncancellable();
  });
}

TEST(WritePieces, TheTurnsAreInTheOrderOfTheCalls) {
  stranger::in_fiber([] {
    Small ends;
    std::vector<weft::JoinHandle<void>> writers;
    for (const char c : {'a', 'b', 'c', 'd', 'e'}) {
      writers.push_back(weft::spawn([&ends, c] { by_write_all(ends.client, c, c == 'a' ? kLarge : 100); }));
      weft::yield();
    }
    auto reader = weft::spawn([&] { return read_runs(ends.server); });
    for (auto& writer : writers) writer.join_uncancellable();
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(reader.join_uncancellable().order, "abcde");
  });
}

TEST(WritePieces, AWriteSomeWaitsForTheTurnToo) {
  stranger::in_fiber([] {
    Small ends;
    auto large = weft::spawn([&] { by_write_all(ends.client, 'a', kLarge); });
    weft::yield();
    auto small = weft::spawn([&] { EXPECT_EQ(ends.client.write_some(bytes("b")).value(), 1u); });
    auto reader = weft::spawn([&] { return read_runs(ends.server); });
    large.join_uncancellable();
    small.join_uncancellable();
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(reader.join_uncancellable().sizes, (std::vector<std::size_t>{kLarge, 1}));
  });
}

TEST(WritePieces, WhoWaitsForTheTurnIsEndedByItsDeadlineACancelAndClose) {
  stranger::in_fiber([] {
    Streams ends;
    stranger::fill(ends.client);
    auto first = weft::spawn([&] { return ends.client.write_all("first").error(); });
    weft::yield();
    const auto late = ends.client.write_all_until(bytes("late"), Deadline::after(1ms));
    EXPECT_EQ(late.error(), Errc::timed_out);
    EXPECT_EQ(late.bytes(), 0u);
    auto cancelled = weft::spawn([&] { return ends.client.write_some(bytes("cancelled")).error(); });
    auto scoped = weft::with_timeout(1ms, [&] { return ends.client.write_some(bytes("scoped")); });
    EXPECT_EQ(scoped.error(), Errc::timed_out);
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable(), Errc::cancelled);
    auto closed = weft::spawn([&] { return ends.client.write_all("closed").error(); });
    auto exchange = weft::spawn([&] {
      std::string answer(1, '\0');
      return ends.client.write_then_read_some(bytes("closed"), stranger::room(answer)).error();
    });
    weft::yield();
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(first.join_uncancellable(), Errc::closed);
    EXPECT_EQ(closed.join_uncancellable(), Errc::closed);
    EXPECT_EQ(exchange.join_uncancellable(), Errc::closed);
  });
}

TEST(WritePieces, AWriteThatGivesUpInTheMiddleLetsTheNextOneIn) {
  stranger::in_fiber([] {
    Small ends;
    auto first = weft::spawn(
        [&] { return ends.client.write_all_until(bytes(std::string(64 << 20, 'a')), Deadline::after(1ms)); });
    weft::yield();
    auto second = weft::spawn([&] { by_write_all(ends.client, 'b', 1000); });
    const auto sent = first.join_uncancellable();
    EXPECT_EQ(sent.error(), Errc::timed_out);
    auto reader = weft::spawn([&] { return read_runs(ends.server); });
    second.join_uncancellable();
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(reader.join_uncancellable().sizes, (std::vector<std::size_t>{sent.bytes(), 1000}));
  });
}

TEST(WritePieces, ManyWritersOfManyThreadsStayWhole) {
  constexpr std::size_t kWriters = 8;
  constexpr int kRounds = 20;
  stranger::in_fiber(
      [] {
        weft::ConcurrentContext other("other");
        Small ends;
        auto reader = weft::spawn([&] { return read_runs(ends.server); });
        std::vector<weft::JoinHandle<void>> writers;
        for (std::size_t i = 0; i < kWriters; ++i) {
          const auto write = [&ends, i] {
            for (int round = 0; round < kRounds; ++round) {
              const char c = static_cast<char>('a' + i);
              const std::size_t size = 1 + (i * 7919 + static_cast<std::size_t>(round) * 104'729) % 300'000;
              (round % 2 == 0 ? by_write_all : by_several_buffers)(ends.client, c, size);
              by_write_all(ends.client, '.', 1);  // may come between, but not within
            }
          };
          if (i % 2 == 0) {
            writers.push_back(weft::spawn(write));
          } else {
            writers.push_back(other.spawn(write));
          }
        }
        for (auto& writer : writers) writer.join_uncancellable();
        EXPECT_TRUE(ends.client.close());
        const Runs runs = reader.join_uncancellable();
        std::multiset<std::pair<char, std::size_t>> left;
        for (std::size_t i = 0; i < kWriters; ++i) {
          for (int round = 0; round < kRounds; ++round)
            left.emplace(static_cast<char>('a' + i),
                         1 + (i * 7919 + static_cast<std::size_t>(round) * 104'729) % 300'000);
        }
        // Two pieces of one writer have a '.' between them, or those of others.
        for (std::size_t i = 0; i < runs.order.size(); ++i) {
          if (runs.order[i] == '.') continue;
          const auto found = left.find({runs.order[i], runs.sizes[i]});
          if (found == left.end()) FAIL() << runs.order[i] << " " << runs.sizes[i];
          left.erase(found);
        }
        EXPECT_TRUE(left.empty());
      },
      2);
}

}  // namespace
