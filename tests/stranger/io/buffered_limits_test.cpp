// SPDX-License-Identifier: Apache-2.0
// The limits of a BufferedReader, and the memory that it holds.
#include "stranger/io/own.hpp"

#include <algorithm>
#include <string>

namespace {

using stranger::ScriptedReader;
using weft::Errc;
using weft::io::BufferedReader;
using weft::io::LineOptions;

// A line of `size` bytes, in pieces of `piece` bytes, read with a limit.
std::string line_of(std::size_t size, std::string_view line_end, std::size_t size_max, std::size_t piece) {
  ScriptedReader source;
  const std::string text = std::string(size, 'x') + std::string(line_end);
  for (std::size_t at = 0; at < text.size(); at += piece) source.then(text.substr(at, piece));
  BufferedReader reader(source, 4);
  const auto line = reader.read_line({.size_max = size_max, .end_optional = true});
  if (!line) return line.error().message();
  EXPECT_EQ(*line, std::string(size, 'x'));
  return "a line";
}

TEST(BufferedReaderLimit, OfALineCountsNoLineEnd) {
  stranger::in_fiber([] {
    const std::string too_large = make_error_code(Errc::message_too_large).message();
    const std::string end_of_file = make_error_code(Errc::end_of_file).message();
    for (const std::string line_end : {"\n", "\r\n", ""}) {
      for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
        EXPECT_EQ(line_of(5, line_end, 5, piece), "a line") << line_end.size() << ", " << piece;
        EXPECT_EQ(line_of(5, line_end, 6, piece), "a line");
        EXPECT_EQ(line_of(5, line_end, SIZE_MAX, piece), "a line");
        EXPECT_EQ(line_of(5, line_end, SIZE_MAX - 1, piece), "a line");
        EXPECT_EQ(line_of(6, line_end, 5, piece), too_large) << line_end.size() << ", " << piece;
        EXPECT_EQ(line_of(7, line_end, 5, piece), too_large);
        EXPECT_EQ(line_of(1000, line_end, 5, piece), too_large);
        EXPECT_EQ(line_of(1, line_end, 0, piece), too_large);
        EXPECT_EQ(line_of(0, line_end, 0, piece), line_end.empty() ? end_of_file : "a line");
      }
    }
  });
}

// A peer that sends one byte too many and then waits for an answer must get one.
TEST(BufferedReaderLimit, IsMetWithTheFirstByteTooMany) {
  stranger::in_fiber([] {
    ScriptedReader line;
    line.then("123456").then(Errc::timed_out);
    BufferedReader lines(line);
    EXPECT_EQ(lines.read_line({.size_max = 5}).error(), Errc::message_too_large);

    ScriptedReader maybe;
    maybe.then("12345\r").then(Errc::timed_out).then("\n");
    BufferedReader waits(maybe);
    EXPECT_EQ(waits.read_line({.size_max = 5}).error(), Errc::timed_out) << "'\\n' may still come";
    EXPECT_EQ(waits.read_line({.size_max = 5}).value(), "12345");

    ScriptedReader piece;
    piece.then("123456").then(Errc::timed_out);
    BufferedReader pieces(piece);
    EXPECT_EQ(pieces.read_delimited(";", 5).error(), Errc::message_too_large);

    ScriptedReader overlap;
    overlap.then("12345--").then(Errc::timed_out).then("!");
    BufferedReader overlaps(overlap);
    EXPECT_EQ(overlaps.read_delimited("--!", 5).error(), Errc::timed_out);
    EXPECT_EQ(overlaps.read_delimited("--!", 5).value(), "12345");

    // No delimiter begins in the last bytes: it cannot end in time.
    ScriptedReader hopeless;
    hopeless.then("1234567").then(Errc::timed_out);
    BufferedReader hopes(hopeless);
    EXPECT_EQ(hopes.read_delimited("--!", 5).error(), Errc::message_too_large);

    ScriptedReader all;
    all.then("123456").then(Errc::timed_out);
    BufferedReader whole(all);
    EXPECT_EQ(whole.read_all(5).error(), Errc::message_too_large);
  });
}

TEST(BufferedReaderLimit, LosesNothing) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("a line that is too long\nnext\n");
    BufferedReader reader(source);
    EXPECT_EQ(reader.read_line({.size_max = 5}).error(), Errc::message_too_large);
    EXPECT_EQ(reader.read_line({.size_max = 5}).error(), Errc::message_too_large);
    EXPECT_EQ(reader.read_delimited("line", 1).error(), Errc::message_too_large);
    EXPECT_EQ(reader.read_all(5).error(), Errc::message_too_large);
    EXPECT_EQ(reader.read_line({.size_max = 23}).value(), "a line that is too long");
    EXPECT_EQ(reader.read_all(5).value(), "next\n");
  });
}

TEST(BufferedReaderLimit, OfADelimitedPieceAndOfAllBytesIsExact) {
  stranger::in_fiber([] {
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
      for (const std::string delimiter : {";", "--", "aab"}) {
        for (std::size_t size = 0; size < 8; ++size) {
          const auto piece_with = [&](std::size_t size_max) {
            ScriptedReader source;
            source.then(std::string(size, 'a') + delimiter);
            BufferedReader reader(source, capacity);
            const auto piece = reader.read_delimited(delimiter, size_max);
            return piece ? std::string(*piece) : piece.error().message();
          };
          EXPECT_EQ(piece_with(size), std::string(size, 'a'));
          EXPECT_EQ(piece_with(SIZE_MAX), std::string(size, 'a'));
          const auto all_with = [&](std::size_t size_max) {
            ScriptedReader source;
            if (size > 0) source.then(std::string(size, 'a'));
            BufferedReader reader(source, capacity);
            return reader.read_all(size_max);
          };
          EXPECT_EQ(all_with(size).value(), std::string(size, 'a'));
          EXPECT_EQ(all_with(SIZE_MAX).value(), std::string(size, 'a'));
          if (size == 0) continue;
          EXPECT_EQ(piece_with(size - 1), make_error_code(Errc::message_too_large).message());
          EXPECT_EQ(all_with(size - 1).error(), Errc::message_too_large);
        }
      }
    }
  });
}

TEST(BufferedReaderLimit, LetsTheBufferGrowAndKeepsTheBytes) {
  stranger::in_fiber([] {
    const std::string text = stranger::pattern(300'000);
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{64}, BufferedReader::kCapacity}) {
      ScriptedReader source;
      for (std::size_t at = 0; at < text.size(); at += 1000) source.then(text.substr(at, 1000));
      BufferedReader reader(source, capacity);
      EXPECT_EQ(reader.peek(100'000).value(), text.substr(0, 100'000));
      EXPECT_EQ(reader.read_exactly(7).value(), text.substr(0, 7));
      EXPECT_EQ(reader.read_exactly(200'000).value(), text.substr(7, 200'000));
      EXPECT_EQ(reader.read_all(SIZE_MAX).value(), text.substr(200'007));
    }
  });
}

// What is read at once is the capacity: a buffer that has grown for one piece is not kept for the next.
TEST(BufferedReaderMemory, IsFreedWhenTheNextCallFindsItEmpty) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then(std::string(100'000, 'x')).then("12").then("34");
    BufferedReader reader(source, 64);
    EXPECT_EQ(reader.read_exactly(100'000).value(), std::string(100'000, 'x'));
    EXPECT_EQ(reader.read_exactly(2).value(), "12");
    EXPECT_EQ(reader.read_exactly(2).value(), "34");
    EXPECT_EQ(source.lent_sizes, (std::deque<std::size_t>{64, 64, 64}));
  });
}

TEST(BufferedReaderMemory, IsNotReservedForAPieceThatHasNotCome) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("abc");
    BufferedReader reader(source);
    EXPECT_EQ(reader.read_exactly(SIZE_MAX).error(), Errc::malformed_message);
    EXPECT_EQ(reader.peek(std::size_t{1} << 40).error(), Errc::malformed_message);
    EXPECT_EQ(reader.read_all(SIZE_MAX).value(), "abc");
  });
}

}  // namespace
