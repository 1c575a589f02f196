// SPDX-License-Identifier: Apache-2.0
// copy() through memory: readers and writers of a user's own, buffered bytes, limits, errors and their
// counts.
#include "stranger/io/own.hpp"

#include <algorithm>
#include <csignal>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::CollectingWriter;
using stranger::ScriptedReader;
using weft::Deadline;
using weft::Errc;
using weft::io::BufferedReader;
using weft::io::copy;
using weft::io::make_pipe;
using weft::io::Pipe;

TEST(Copy, WritesWhatItReadsUntilTheEnd) {
  stranger::in_fiber([] {
    ScriptedReader from;
    from.then("one ").then("two ").then("three");
    CollectingWriter to(SIZE_MAX, 2);
    EXPECT_EQ(copy(from, to).value(), 13u);
    EXPECT_EQ(to.text, "one two three");
    EXPECT_EQ(copy(from, to).value(), 0u) << "at the end";
  });
}

TEST(Copy, EndsAtItsLimit) {
  stranger::in_fiber([] {
    for (const std::uint64_t size_max : std::vector<std::uint64_t>{0, 1, 4, 9, 10, 11, UINT64_MAX}) {
      ScriptedReader from;
      from.then("0123").then("456789");
      CollectingWriter to;
      const std::size_t expected = static_cast<std::size_t>(std::min<std::uint64_t>(size_max, 10));
      EXPECT_EQ(copy(from, to, {.size_max = size_max}).value(), expected);
      EXPECT_EQ(to.text, std::string("0123456789").substr(0, expected));
      EXPECT_EQ(stranger::drain(from), std::string("0123456789").substr(expected)) << "nothing more is taken";
    }
  });
}

TEST(Copy, OfNothingTouchesNothing) {
  stranger::in_fiber([] {
    Pipe closed;
    EXPECT_EQ(copy(closed.reader, closed.writer, {.size_max = 0}).value(), 0u);
    EXPECT_EQ(copy(closed.reader, closed.writer).error(), Errc::closed);
  });
}

TEST(Copy, CountsWhatWasWrittenBeforeAnErrorOfTheReader) {
  stranger::in_fiber([] {
    ScriptedReader from;
    from.then("12345").then("67").then(Errc::timed_out).then("8");
    CollectingWriter to;
    const auto copied = copy(from, to);
    EXPECT_EQ(copied.bytes(), 7u);
    EXPECT_EQ(copied.error(), Errc::timed_out);
    EXPECT_EQ(to.text, "1234567");
    EXPECT_EQ(copy(from, to).value(), 1u) << "it can be repeated";
    EXPECT_EQ(to.text, "12345678");
  });
}

TEST(Copy, CountsWhatWasWrittenBeforeAnErrorOfTheWriter) {
  stranger::in_fiber([] {
    for (const std::size_t step : {std::size_t{1}, std::size_t{100}}) {
      ScriptedReader from;
      from.then("12345").then("67890");
      CollectingWriter to(7, step);
      const auto copied = copy(from, to);
      EXPECT_EQ(copied.bytes(), 7u);
      EXPECT_EQ(copied.error(), stranger::errno_code(ENOSPC));
      EXPECT_EQ(to.text, "1234567");
    }
  });
}

TEST(Copy, BeginsWithBufferedBytes) {
  stranger::in_fiber([] {
    for (const std::uint64_t size_max : std::vector<std::uint64_t>{0, 1, 3, 4, 5, 7, 8, UINT64_MAX}) {
      Pipe in = make_pipe().value();
      Pipe out = make_pipe().value();
      BufferedReader from(in.reader);
      EXPECT_TRUE(in.writer.write_all("head\nbody"));
      EXPECT_EQ(from.read_line().value(), "head");
      EXPECT_TRUE(in.writer.write_all("tail"));
      EXPECT_TRUE(in.writer.close());
      const std::size_t expected = static_cast<std::size_t>(std::min<std::uint64_t>(size_max, 8));
      EXPECT_EQ(copy(from, out.writer, {.size_max = size_max}).value(), expected);
      EXPECT_TRUE(out.writer.close());
      EXPECT_EQ(stranger::drain(out.reader), std::string("bodytail").substr(0, expected));
      EXPECT_EQ(stranger::drain(from), std::string("bodytail").substr(expected));
    }
  });
}

// The outer reader's buffer is empty, the inner one's is not.
TEST(Copy, BeginsWithTheBytesThatAReaderBelowHasBuffered) {
  stranger::in_fiber([] {
    Pipe in = make_pipe().value();
    Pipe out = make_pipe().value();
    BufferedReader inner(in.reader);
    BufferedReader from(inner, 3);
    EXPECT_TRUE(in.writer.write_all("head\nbody and more"));
    EXPECT_EQ(inner.read_line().value(), "head");
    EXPECT_EQ(from.peek(1).value(), "b");
    EXPECT_TRUE(in.writer.write_all(", tail"));
    EXPECT_TRUE(in.writer.close());
    EXPECT_EQ(copy(from, out.writer).value(), 19u);
    EXPECT_TRUE(out.writer.close());
    EXPECT_EQ(stranger::drain(out.reader), "body and more, tail");
  });
}

TEST(Copy, EndsAtTheDeadlineThoughNeitherSideWaits) {
  // Gives bytes for ever.
  class Endless final : public weft::io::Reader {
   public:
    using Reader::read_some_until;
    weft::Result<std::size_t> read_some_until(weft::MutableBuffer buffer, Deadline) override {
      std::fill_n(reinterpret_cast<char*>(buffer.data()), buffer.size(), 'x');
      return buffer.size();
    }
    weft::Result<void> wait_readable(Deadline) override { return {}; }
  };
  // Takes all of them.
  class Counting final : public weft::io::Writer {
   public:
    weft::Result<std::size_t> write_some_until(weft::ConstBuffer data, Deadline) override {
      count += data.size();
      return data.size();
    }
    weft::Result<void> wait_writable(Deadline) override { return {}; }
    std::size_t count = 0;
  };
  stranger::in_fiber([] {
    Endless from;
    Counting to;
    const auto copied = copy(from, to, {.deadline = 2ms});
    EXPECT_EQ(copied.error(), Errc::timed_out);
    EXPECT_EQ(copied.bytes(), to.count);
    Pipe pipe = make_pipe().value();
    auto copying = weft::spawn([&] { return copy(from, pipe.writer).error() == Errc::cancelled; });
    weft::yield();
    copying.cancel();
    EXPECT_TRUE(copying.join().value());
  });
}

TEST(Copy, FromAPipeIntoAWriterOfOnesOwnAndBack) {
  stranger::in_fiber([] {
    const std::string text = stranger::pattern(300'000);
    Pipe pipe = make_pipe().value();
    ScriptedReader from;
    for (std::size_t at = 0; at < text.size(); at += 70'000) from.then(text.substr(at, 70'000));
    auto writing = weft::spawn([&] {
      const auto n = copy(from, pipe.writer).value();
      pipe.writer.close().value();
      return n;
    });
    CollectingWriter to;
    EXPECT_EQ(copy(pipe.reader, to).value(), text.size());
    EXPECT_EQ(writing.join().value(), text.size());
    EXPECT_EQ(to.text, text);
  });
}

TEST(Copy, IntoAPipeThatNobodyReadsIsEpipeWithTheCountOfWhatWasWritten) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  stranger::in_fiber([] {
    ScriptedReader from;
    from.then("12345").then("678");
    Pipe pipe = make_pipe().value();
    EXPECT_EQ(copy(from, pipe.writer, {.size_max = 5}).value(), 5u);
    EXPECT_TRUE(pipe.reader.close());
    const auto copied = copy(from, pipe.writer);
    EXPECT_EQ(copied.bytes(), 0u);
    EXPECT_EQ(copied.error(), stranger::errno_code(EPIPE));
  });
  static_cast<void>(std::signal(SIGPIPE, before));
}

}  // namespace
