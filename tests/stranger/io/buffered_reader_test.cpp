// SPDX-License-Identifier: Apache-2.0
// What a BufferedReader makes of pieces: lines, delimited pieces, pieces of a size; whatever way they are
// cut.
#include "stranger/io/own.hpp"

#include <string>
#include <vector>

namespace {

using stranger::ScriptedReader;
using weft::Errc;
using weft::io::BufferedReader;
using weft::io::LineOptions;
using namespace std::string_literals;

// The lines until the end, and how they end.
std::vector<std::string> lines_of(BufferedReader& reader, const LineOptions& options = {}) {
  std::vector<std::string> lines;
  for (;;) {
    const auto line = reader.read_line(options);
    lines.push_back(line ? std::string(*line) : "! " + line.error().message());
    if (!line) return lines;
  }
}

std::string end() { return "! " + make_error_code(Errc::end_of_file).message(); }
std::string cut_off() { return "! " + make_error_code(Errc::malformed_message).message(); }

using Lines = std::vector<std::string>;

TEST(BufferedReader, EndsALineAtLfOrCrLfAndNowhereElse) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("unix\nwindows\r\n\n\r\nlone\rcr\ntwo\r\r\n\r\rx\n"s + "nul\0nul\n"s + "\0\n"s);
    BufferedReader reader(source);
    EXPECT_EQ(lines_of(reader),
              (Lines{"unix", "windows", "", "", "lone\rcr", "two\r", "\r\rx", "nul\0nul"s, "\0"s, end()}));
  });
}

TEST(BufferedReader, FindsTheSameLinesHoweverTheBytesAreCut) {
  stranger::in_fiber([] {
    const std::string text = "a\r\n\r\nbb\nc\rc\r\n\n";
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (std::size_t second = first; second <= text.size(); ++second) {
        for (const std::size_t capacity : std::vector<std::size_t>{0, 1, 2, 3, 5, 64}) {
          ScriptedReader source;
          if (first > 0) source.then(text.substr(0, first));
          if (second > first) source.then(text.substr(first, second - first));
          if (second < text.size()) source.then(text.substr(second));
          BufferedReader reader(source, capacity);
          EXPECT_EQ(lines_of(reader), (Lines{"a", "", "bb", "c\rc", "", end()}))
              << first << ", " << second << ", " << capacity;
        }
      }
    }
  });
}

TEST(BufferedReader, FindsDelimitersThatOverlapAndAreCut) {
  struct Case {
    std::string text;
    std::string delimiter;
    Lines pieces;
  };
  const Case cases[] = {{"aaab|", "aab", {"a"}},
                        {"aabaab", "aab", {"", ""}},
                        {"abababc", "ababc", {"ab"}},
                        {"--x--", "--", {"", "x"}},
                        {"---", "--", {""}},
                        {"key: value\r\n\r\nbody", "\r\n\r\n", {"key: value"}},
                        {"\0\0\1"s, "\0\1"s, {"\0"s}},
                        {"xyxyxz", "xyxz", {"xy"}},
                        {"one,two,", ",", {"one", "two"}}};
  stranger::in_fiber([&] {
    for (const Case& c : cases) {
      for (std::size_t cut = 0; cut <= c.text.size(); ++cut) {
        for (const std::size_t capacity : std::vector<std::size_t>{0, 1, 2, 4, 64}) {
          ScriptedReader source;
          if (cut > 0) source.then(c.text.substr(0, cut));
          if (cut < c.text.size()) source.then(c.text.substr(cut));
          BufferedReader reader(source, capacity);
          Lines pieces;
          for (std::size_t i = 0; i < c.pieces.size(); ++i) {
            const auto piece = reader.read_delimited(c.delimiter, 100);
            pieces.push_back(piece ? std::string(*piece) : piece.error().message());
          }
          EXPECT_EQ(pieces, c.pieces) << c.text << " at " << cut << ", " << capacity;
        }
      }
    }
  });
}

TEST(BufferedReader, TellsALastLineWithoutEndFromTheEndOfTheFile) {
  stranger::in_fiber([] {
    for (const std::size_t capacity : std::vector<std::size_t>{0, 1, 64}) {
      ScriptedReader cut;
      cut.then("one\ntw");
      BufferedReader strict(cut, capacity);
      EXPECT_EQ(lines_of(strict), (Lines{"one", cut_off()}));
      EXPECT_EQ(strict.buffer(), "tw") << "nothing is lost";
      EXPECT_EQ(strict.read_line({.end_optional = true}).value(), "tw");
      EXPECT_EQ(strict.read_line().error(), Errc::end_of_file);

      ScriptedReader same;
      same.then("one\ntw\r");
      BufferedReader lax(same, capacity);
      EXPECT_EQ(lines_of(lax, {.end_optional = true}), (Lines{"one", "tw\r", end()}));

      ScriptedReader empty;
      BufferedReader nothing(empty, capacity);
      EXPECT_EQ(lines_of(nothing, {.end_optional = true}), (Lines{end()}));
    }
  });
}

TEST(BufferedReader, TellsACutOffPieceFromTheEnd) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("abc");
    BufferedReader reader(source);
    EXPECT_EQ(reader.read_delimited("--", 10).error(), Errc::malformed_message);
    EXPECT_EQ(reader.read_exactly(4).error(), Errc::malformed_message);
    EXPECT_EQ(reader.peek(4).error(), Errc::malformed_message);
    EXPECT_EQ(reader.peek(3).value(), "abc");
    EXPECT_EQ(reader.read_delimited("", 10).error(), stranger::errno_code(EINVAL));
    EXPECT_EQ(reader.read_exactly(3).value(), "abc");
    EXPECT_EQ(reader.read_exactly(1).error(), Errc::end_of_file);
    EXPECT_EQ(reader.peek(1).error(), Errc::end_of_file);
    EXPECT_EQ(reader.read_delimited("--", 10).error(), Errc::end_of_file);
    EXPECT_EQ(reader.read_exactly(0).value(), "");
    EXPECT_EQ(reader.peek(0).value(), "");
    EXPECT_EQ(reader.read_all(0).value(), "");
    char c;
    EXPECT_EQ(reader.read_some(weft::MutableBuffer(&c, 1)).error(), Errc::end_of_file);
  });
}

TEST(BufferedReader, MixesItsCalls) {
  stranger::in_fiber([] {
    for (const std::size_t capacity : std::vector<std::size_t>{0, 1, 7, 8192}) {
      ScriptedReader source;
      source.then("5\r").then("\nhel").then("lo, rest of").then(" it;x").then("yz");
      BufferedReader reader(source, capacity);
      EXPECT_EQ(reader.read_line().value(), "5");
      EXPECT_EQ(reader.peek(2).value(), "he");
      EXPECT_EQ(reader.peek(5).value(), "hello");
      EXPECT_GE(reader.buffered(), 5u);
      reader.consume(1);
      EXPECT_EQ(reader.read_exactly(4).value(), "ello");
      char two[2];
      EXPECT_EQ(reader.read_exact(two).value(), 2u);
      EXPECT_EQ(std::string(two, 2), ", ");
      EXPECT_EQ(reader.read_delimited(";", 10).value(), "rest of it");
      EXPECT_EQ(reader.read_all(3).value(), "xyz");
      EXPECT_EQ(reader.buffered(), 0u);
      EXPECT_EQ(reader.buffer(), "");
    }
  });
}

TEST(BufferedReader, GivesBufferedBytesFirstToEveryKindOfRead) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("12345678").then("next");
    BufferedReader reader(source);
    EXPECT_EQ(reader.peek(1).value(), "1");
    const int reads = source.reads;
    EXPECT_TRUE(reader.wait_readable());
    EXPECT_EQ(reader.read_some(weft::MutableBuffer()).value(), 0u);
    char three[3];
    EXPECT_EQ(reader.read_some(three).value(), 3u);
    EXPECT_EQ(std::string(three, 3), "123");
    std::string left(2, '.');
    std::string right(2, '.');
    const std::span<std::byte> rooms[] = {std::as_writable_bytes(std::span(left)),
                                          std::as_writable_bytes(std::span(right))};
    const std::size_t n = reader.read_some(rooms).value();
    EXPECT_EQ((left + right).substr(0, n), "45.."s.substr(0, n));
    EXPECT_EQ(reader.buffer(), "12345678"s.substr(3 + n));
    EXPECT_EQ(source.reads, reads) << "no read was needed";
    EXPECT_EQ(reader.read_all(100).value(), "12345678"s.substr(3 + n) + "next");
  });
}

TEST(BufferedReader, CanReadFromAnother) {
  stranger::in_fiber([] {
    ScriptedReader source;
    source.then("a\nb\nc\n");
    BufferedReader inner(source);
    EXPECT_EQ(inner.read_line().value(), "a");
    BufferedReader outer(inner, 2);
    EXPECT_GT(outer.buffered(), 0u) << "a read of it would not wait";
    EXPECT_EQ(outer.buffer(), "") << "but the bytes are in the other one's buffer";
    EXPECT_EQ(outer.read_line().value(), "b");
    EXPECT_EQ(outer.read_line().value(), "c");
    EXPECT_EQ(outer.read_line().error(), Errc::end_of_file);
  });
}

TEST(BufferedReaderDeathTest, ConsumesNoMoreThanThereIs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 ScriptedReader source;
                 source.then("abc");
                 BufferedReader reader(source);
                 reader.peek(1).value();
                 reader.consume(4);
               }),
               "BUG: more bytes are consumed than are buffered");
}

}  // namespace
