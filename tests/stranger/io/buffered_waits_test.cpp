// SPDX-License-Identifier: Apache-2.0
// A BufferedReader over something that makes it wait: timeouts, cancellation, errors in the middle, select().
#include "stranger/io/own.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::ScriptedReader;
using weft::Deadline;
using weft::Errc;
using weft::io::BufferedReader;
using weft::io::make_pipe;
using weft::io::Pipe;
using weft::io::Reader;

TEST(BufferedReaderWait, RepeatsACallAfterATimeoutWithoutLosingAByte) {
  stranger::in_fiber([] {
    const std::string text = "hello\r\n";
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      Pipe pipe = make_pipe().value();
      BufferedReader reader(pipe.reader);
      EXPECT_TRUE(pipe.writer.write_all(text.substr(0, cut)));
      EXPECT_EQ(reader.read_line_until(1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.read_line_until(1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.read_delimited_until("\r\n", 10, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.read_exactly_until(7, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.peek_until(7, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.read_all_until(100, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(reader.buffer(), text.substr(0, cut));
      EXPECT_TRUE(pipe.writer.write_all(text.substr(cut) + "next"));
      EXPECT_EQ(reader.read_line_until(1h).value(), "hello");
      EXPECT_EQ(reader.read_exactly(4).value(), "next");
    }
  });
}

TEST(BufferedReaderWait, IsCancelledInTheMiddleWithoutLosingAByte) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          Pipe pipe = make_pipe().value();
          BufferedReader reader(pipe.reader);
          EXPECT_TRUE(pipe.writer.write_all("hal"));
          auto reading = weft::spawn([&] { return reader.read_line().error(); });
          weft::yield();
          reading.cancel();
          EXPECT_EQ(reading.join().error(), Errc::cancelled);
          EXPECT_TRUE(pipe.writer.write_all("f\n"));
          EXPECT_EQ(reader.read_line().value(), "half");
        },
        threads);
  }
}

TEST(BufferedReaderWait, KeepsItsBytesOverErrorsOfTheSource) {
  stranger::in_fiber([] {
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
      ScriptedReader source;
      source.then(Errc::timed_out).then("ab").then(Errc::cancelled).then("c").then(Errc::unsupported);
      source.then("d\n").then(Errc::timed_out).then("efg").then(Errc::closed);
      BufferedReader reader(source, capacity);
      EXPECT_EQ(reader.read_line().error(), Errc::timed_out);
      EXPECT_EQ(reader.read_line().error(), Errc::cancelled);
      EXPECT_EQ(reader.read_line().error(), Errc::unsupported);
      EXPECT_EQ(reader.read_line().value(), "abcd");
      EXPECT_EQ(reader.read_exactly(3).error(), Errc::timed_out);
      EXPECT_EQ(reader.read_exactly(3).value(), "efg");
      EXPECT_EQ(reader.read_all(1).error(), Errc::closed);
    }
  });
}

TEST(BufferedReaderWait, EndsAtTheDeadlineThoughBytesComeAndCome) {
  // Gives one byte after another, for ever.
  class Endless final : public Reader {
   public:
    using Reader::read_some_until;
    weft::Result<std::size_t> read_some_until(weft::MutableBuffer buffer, Deadline) override {
      weft::sleep(1ms);
      buffer.data()[0] = std::byte{'x'};
      return std::size_t{1};
    }
    weft::Result<void> wait_readable(Deadline) override { return {}; }
  };
  stranger::in_fiber([] {
    Endless source;
    BufferedReader reader(source);
    EXPECT_EQ(reader.read_line_until(3ms, {.size_max = SIZE_MAX}).error(), Errc::timed_out);
    EXPECT_EQ(reader.read_exactly_until(SIZE_MAX, 3ms).error(), Errc::timed_out);
    EXPECT_EQ(reader.read_all_until(SIZE_MAX, 3ms).error(), Errc::timed_out);
    EXPECT_EQ(reader.read_delimited_until("--", SIZE_MAX, 3ms).error(), Errc::timed_out);
    const std::string kept(reader.buffer());
    EXPECT_EQ(kept, std::string(kept.size(), 'x'));
  });
}

TEST(BufferedReaderWait, NeedsNoTimeForWhatItHas) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("one\ntwo\n");
    BufferedReader reader(source);
    EXPECT_EQ(reader.read_line().value(), "one");
    EXPECT_EQ(reader.read_line_until(Deadline::after_ns(0)).value(), "two");
  });
}

// Which branches of a select are ready.
template <class Source>
bool is_readable(Source& source) {
  bool readable = false;
  weft::select_first(weft::readable(source, [&] { readable = true; }), weft::otherwise([] {}));
  return readable;
}

TEST(BufferedReaderWait, IsReadableForSelectWhileItHasBytes) {
  stranger::in_fiber([] {
    Pipe pipe = make_pipe().value();
    BufferedReader reader(pipe.reader);
    BufferedReader outer(static_cast<Reader&>(reader));
    EXPECT_FALSE(is_readable(reader));
    EXPECT_TRUE(pipe.writer.write_all("one\ntwo\n"));
    EXPECT_TRUE(is_readable(reader));
    EXPECT_EQ(reader.read_line().value(), "one");
    EXPECT_FALSE(is_readable(pipe.reader)) << "all is in the buffer";
    EXPECT_TRUE(is_readable(reader));
    EXPECT_TRUE(is_readable(outer));
    Reader& any = reader;
    EXPECT_TRUE(is_readable(any));
    bool waited = true;
    weft::select(weft::readable(reader, [&] { waited = false; }), weft::after(1h, [] {}));
    EXPECT_FALSE(waited);
    EXPECT_EQ(reader.read_line().value(), "two");
    EXPECT_FALSE(is_readable(reader));
    EXPECT_FALSE(is_readable(outer));
    auto writing = weft::spawn([&] { return pipe.writer.write_all("x").bytes(); });
    weft::select(weft::readable(any, [&] { waited = true; }), weft::after(1h, [] {}));
    EXPECT_TRUE(waited);
    EXPECT_EQ(writing.join().value(), 1u);
    EXPECT_TRUE(pipe.writer.close());
    EXPECT_EQ(reader.read_all(10).value(), "x");
    EXPECT_TRUE(is_readable(reader)) << "the end of the file";
  });
}

TEST(BufferedReaderWait, MovesWithItsStreamToAFiberOfAnotherContext) {
  stranger::in_fiber([] {
    weft::ConcurrentContext other("other");
    Pipe pipe = make_pipe().value();
    BufferedReader reader(pipe.reader);
    EXPECT_TRUE(pipe.writer.write_all("here\nthe"));
    EXPECT_EQ(reader.read_line().value(), "here");
    auto there = other.spawn([&] {
      const auto line = reader.read_line();
      return line ? std::string(*line) : line.message();
    });
    EXPECT_TRUE(pipe.writer.write_all("re\nback\n"));
    EXPECT_EQ(there.join().value(), "there");
    EXPECT_EQ(reader.read_line().value(), "back");
  });
}

}  // namespace
