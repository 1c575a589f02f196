// SPDX-License-Identifier: Apache-2.0
// Pipes: what is written to one end is read from the other.
#include "stranger/io/own.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::io::make_pipe;
using weft::io::Pipe;
using weft::io::PipeReader;
using weft::io::PipeWriter;

std::string read_exact(PipeReader& reader, std::size_t size) {
  std::string text(size, '\0');
  text.resize(reader.read_exact(text).bytes());
  return text;
}

TEST(Pipe, GivesWhatWasWrittenAndThenTheEnd) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    EXPECT_TRUE(pipe.reader.is_open());
    EXPECT_TRUE(pipe.writer.is_open());
    EXPECT_EQ(pipe.writer.write_all("hello").value(), 5u);
    EXPECT_EQ(read_exact(pipe.reader, 3), "hel");
    EXPECT_TRUE(pipe.writer.close());
    EXPECT_FALSE(pipe.writer.is_open());
    char rest[8];
    const auto exact = pipe.reader.read_exact(rest);
    EXPECT_EQ(exact.bytes(), 2u);
    EXPECT_EQ(exact.error(), Errc::end_of_file);
    EXPECT_EQ(std::string(rest, 2), "lo");
    EXPECT_EQ(pipe.reader.read_some(rest).error(), Errc::end_of_file);
    EXPECT_EQ(pipe.reader.read_some(rest).error(), Errc::end_of_file);
    EXPECT_TRUE(pipe.reader.wait_readable()) << "a read would not wait";
  });
}

TEST(Pipe, OfWhichTheReaderIsGoneGivesEpipeAndNoSignal) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    EXPECT_TRUE(pipe.reader.close());
    EXPECT_EQ(pipe.writer.write_some("x").error(), stranger::errno_code(EPIPE));
    const auto whole = pipe.writer.write_all("xyz");
    EXPECT_EQ(whole.bytes(), 0u);
    EXPECT_EQ(whole.error(), std::errc::broken_pipe);
    EXPECT_TRUE(pipe.writer.wait_writable()) << "a write would not wait";
  });
  static_cast<void>(std::signal(SIGPIPE, before));
}

TEST(Pipe, WakesAWriterThatWaitsWhenTheReaderGoes) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    stranger::fill(pipe.writer);
    auto writing = weft::spawn([&] { return pipe.writer.write_some("x").error(); });
    weft::yield();
    EXPECT_TRUE(pipe.reader.close());
    EXPECT_EQ(writing.join().error(), stranger::errno_code(EPIPE));
  });
  static_cast<void>(std::signal(SIGPIPE, before));
}

TEST(Pipe, EndsThatAreDefaultMovedFromOrClosedAreClosed) {
  stranger::in_fiber([] {
    char c;
    PipeReader no_reader;
    PipeWriter no_writer;
    EXPECT_FALSE(no_reader.is_open());
    EXPECT_EQ(no_reader.native_handle(), -1);
    EXPECT_EQ(no_reader.read_some(weft::MutableBuffer(&c, 1)).error(), Errc::closed);
    EXPECT_EQ(no_reader.wait_readable().error(), Errc::closed);
    EXPECT_EQ(no_reader.close().error(), Errc::closed);
    EXPECT_EQ(no_writer.write_some("x").error(), Errc::closed);
    EXPECT_EQ(no_writer.write_all("x").error(), Errc::closed);
    EXPECT_EQ(no_writer.wait_writable().error(), Errc::closed);
    EXPECT_EQ(no_writer.close().error(), Errc::closed);

    Pipe pipe = make_pipe().value();
    const int number = pipe.reader.native_handle();
    PipeReader moved(std::move(pipe.reader));
    EXPECT_EQ(moved.native_handle(), number);
    EXPECT_FALSE(pipe.reader.is_open());  // NOLINT(bugprone-use-after-move)
    pipe.reader = std::move(moved);
    EXPECT_EQ(pipe.reader.native_handle(), number);
    EXPECT_TRUE(pipe.writer.close());
    EXPECT_EQ(pipe.writer.close().error(), Errc::closed);
    EXPECT_EQ(pipe.writer.native_handle(), -1);
    EXPECT_EQ(pipe.writer.write_all("x").error(), Errc::closed);
  });
}

TEST(Pipe, AssignedOverClosesItsOldEnd) {
  stranger::in_fiber([] {
    Pipe first = make_pipe().value();
    Pipe second = make_pipe().value();
    first.writer = std::move(second.writer);
    char c;
    EXPECT_EQ(first.reader.read_some(weft::MutableBuffer(&c, 1)).error(), Errc::end_of_file);
    EXPECT_TRUE(first.writer.write_all("y"));
    EXPECT_EQ(read_exact(second.reader, 1), "y");
  });
}

TEST(Pipe, EmptyBuffersMoveNothingAtOnce) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    EXPECT_EQ(pipe.reader.read_some(weft::MutableBuffer()).value(), 0u);
    EXPECT_EQ(pipe.writer.write_some("").value(), 0u);
    EXPECT_EQ(pipe.writer.write_all("").value(), 0u);
    EXPECT_EQ(pipe.reader.read_exact(weft::MutableBuffer()).value(), 0u);
    EXPECT_EQ(pipe.reader.read_some(std::span<const std::span<std::byte>>()).value(), 0u);
  });
}

TEST(Pipe, ReadsAndWritesSeveralBuffers) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    const std::string one = "ab";
    const std::string none;
    const std::string two = "cdefg";
    const std::span<const std::byte> parts[] = {std::as_bytes(std::span(one)), std::as_bytes(std::span(none)),
                                                std::as_bytes(std::span(two))};
    EXPECT_EQ(pipe.writer.write_all(parts).value(), 7u);
    std::string left(3, '.');
    std::string right(10, '.');
    const std::span<std::byte> rooms[] = {std::as_writable_bytes(std::span(left)),
                                          std::as_writable_bytes(std::span(right))};
    EXPECT_EQ(pipe.reader.read_some(rooms).value(), 7u);
    EXPECT_EQ(left + right, "abcdefg......");
  });
}

TEST(Pipe, TimesOutAndIsCancelledAndLosesNothing) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    char text[4] = {};
    const weft::MutableBuffer room(text, 3);
    EXPECT_EQ(pipe.reader.read_some_until(room, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(pipe.reader.wait_readable(1ms).error(), Errc::timed_out);
    EXPECT_TRUE(pipe.writer.wait_writable(1ms));
    auto reading = weft::spawn([&] { return pipe.reader.read_some(room); });
    weft::yield();
    reading.cancel();
    EXPECT_EQ(reading.join().error(), Errc::cancelled);
    EXPECT_TRUE(pipe.writer.write_all("abc"));
    EXPECT_EQ(pipe.reader.read_some(room).value(), 3u);
    EXPECT_STREQ(text, "abc");

    const std::string filled = stranger::fill(pipe.writer);
    const std::string more(100, 'm');
    const auto late = pipe.writer.write_all_until(more, 1ms);
    EXPECT_EQ(late.error(), Errc::timed_out);
    EXPECT_EQ(pipe.writer.wait_writable(1ms).error(), Errc::timed_out);
    const std::string expected = filled + more.substr(0, late.bytes());
    EXPECT_EQ(read_exact(pipe.reader, expected.size()), expected);
  });
}

TEST(Pipe, ClosedByAnotherFiberEndsCallsWithClosed) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    char c;
    auto reading = weft::spawn([&] { return pipe.reader.read_some(weft::MutableBuffer(&c, 1)).error(); });
    weft::yield();
    EXPECT_TRUE(pipe.reader.close());
    EXPECT_EQ(reading.join().error(), Errc::closed);

    Pipe full = make_pipe().value();
    stranger::fill(full.writer);
    auto writing = weft::spawn([&] { return full.writer.write_all("x").error(); });
    weft::yield();
    EXPECT_TRUE(full.writer.close());
    EXPECT_EQ(writing.join().error(), Errc::closed);
  });
}

TEST(Pipe, SelectsOverBothEnds) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    std::string taken;
    const auto look = [&] {
      taken.clear();
      weft::select_first(weft::readable(pipe.reader, [&] { taken += "r"; }),
                         weft::writable(pipe.writer, [&] { taken += "w"; }),
                         weft::otherwise([&] { taken += "-"; }));
      return taken;
    };
    EXPECT_EQ(look(), "w");
    stranger::fill(pipe.writer);
    EXPECT_EQ(look(), "r");
    EXPECT_TRUE(pipe.reader.close());
    std::error_code error;
    weft::select(weft::readable(pipe.reader, [&](weft::Result<void> r) { error = r.error(); }));
    EXPECT_EQ(error, Errc::closed);
  });
}

TEST(Pipe, PiecesOfSeveralWritersAreNotMixed) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          Pipe pipe = make_pipe().value();
          constexpr std::size_t kPiece = 200'000;  // more than the pipe holds
          weft::TaskGroup<void> group;
          for (const char letter : {'a', 'b', 'c', 'd'}) {
            group.spawn([&, letter] {
              EXPECT_EQ(pipe.writer.write_all(std::string(kPiece, letter)).value(), kPiece);
            });
          }
          std::string seen;
          for (int i = 0; i < 4; ++i) {
            const std::string piece = read_exact(pipe.reader, kPiece);
            EXPECT_EQ(piece, std::string(kPiece, piece[0]));
            seen += piece[0];
          }
          EXPECT_TRUE(group.wait());
          std::sort(seen.begin(), seen.end());
          EXPECT_EQ(seen, "abcd");
        },
        threads);
  }
}

TEST(Pipe, BetweenContextsGivesEveryByteOnce) {
  stranger::in_fiber([] {
    weft::ConcurrentContext one("one");
    weft::ParallelContext two("two", {.parallelism = 2});
    Pipe pipe = make_pipe().value();
    const std::string text = stranger::pattern(1 << 20);
    auto writing = one.spawn([out = std::move(pipe.writer), &text]() mutable {
      return out.write_all(text).bytes();  // and closes it
    });
    auto reading = two.spawn([in = std::move(pipe.reader)]() mutable { return stranger::drain(in); });
    EXPECT_EQ(writing.join().value(), text.size());
    EXPECT_EQ(reading.join().value(), text);
  });
}

TEST(Pipe, ManyReadersShareTheBytes) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          Pipe pipe = make_pipe().value();
          weft::TaskGroup<std::size_t> group;
          for (int i = 0; i < 8; ++i) group.spawn([&] { return stranger::drain(pipe.reader).size(); });
          for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pipe.writer.write_all("0123456789"));
          EXPECT_TRUE(pipe.writer.close());
          const auto sizes = group.wait().value();
          std::size_t total = 0;
          for (const std::size_t size : sizes) total += size;
          EXPECT_EQ(total, 10'000u);
        },
        threads);
  }
}

TEST(Pipe, LeavesNoDescriptorAndIsClosedOnExec) {
  stranger::in_fiber([] {
    int numbers[2];
    {
      Pipe pipe = make_pipe().value();
      numbers[0] = pipe.reader.native_handle();
      numbers[1] = pipe.writer.native_handle();
      EXPECT_NE(::fcntl(numbers[0], F_GETFD) & FD_CLOEXEC, 0);
      EXPECT_NE(::fcntl(numbers[1], F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_EQ(::fcntl(numbers[0], F_GETFD), -1);
    EXPECT_EQ(::fcntl(numbers[1], F_GETFD), -1);
  });
}

}  // namespace
