// SPDX-License-Identifier: Apache-2.0
// Heads that follow each other in one reader: what is remembered of one must not be seen in the next.
#include "http/protocol/line_memory.hpp"

#include "http/protocol/plain_head.hpp"
#include "http/protocol/replay.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

/// Reads heads at chosen places of one buffer, as a connection's parser does.
class Heads {
 public:
  const RequestHead* read(const std::string& text, std::size_t at = 0) {
    text.copy(buffer_.data() + at, text.size());
    const char* const end =
        read_plain_head({buffer_.data() + at, text.size()}, limits_, headers_.data(), memory_, head_);
    return end == buffer_.data() + at + text.size() ? &head_ : nullptr;
  }
  std::size_t remembered() const { return memory_.lines.size(); }
  bool in_buffer(std::string_view view) const {
    return view.data() >= buffer_.data() && view.data() + view.size() <= buffer_.data() + buffer_.size();
  }

 private:
  Limits limits_;
  std::array<char, 8192> buffer_;
  std::array<Header, kHeaderCapacity> headers_;
  HeadMemory memory_;
  RequestHead head_;
};

const std::string kLines = "Host: a:80\r\nConnection: close\r\nAccept-Language: en\r\nEmpty:\r\n\r\n";

void expect_lines(const Heads& heads, const RequestHead* head) {
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->authority, "a:80");
  EXPECT_FALSE(head->keep_alive);
  ASSERT_EQ(head->headers.size(), 4u);
  EXPECT_EQ(head->headers[0].name(), "Host");
  EXPECT_EQ(head->headers[0].value(), "a:80");
  EXPECT_EQ(head->headers[2].name(), "Accept-Language");
  EXPECT_EQ(head->headers[2].value(), "en");
  EXPECT_EQ(head->headers[3].name(), "Empty");
  EXPECT_EQ(head->headers[3].value(), "");
  EXPECT_TRUE(heads.in_buffer(head->authority));
  for (const Header& header : head->headers)
    EXPECT_TRUE(heads.in_buffer(header.name()) && heads.in_buffer(header.value()));
}

TEST(LineMemory, TheSameLinesSayTheSameInTheSamePlaceAndInOthers) {
  Heads heads;
  std::size_t place = 0;
  for (const char* const text : {"/", "/", "/b?c", "/", "/longer/one"}) {
    const std::string target = text;
    const RequestHead* const head = heads.read("GET " + target + " HTTP/1.1\r\n" + kLines, place);
    expect_lines(heads, head);
    ASSERT_NE(head, nullptr);
    EXPECT_EQ(head->target, target);
    EXPECT_EQ(heads.remembered(), kLines.size());
    place = place == 0 ? 1111 : place - 370;
  }
}

TEST(LineMemory, MethodAndVersionAreOfTheirOwnHead) {
  Heads heads;
  const std::string lines = "Host: a\r\nX: y\r\n\r\n";
  const RequestHead* head = heads.read("GET / HTTP/1.1\r\n" + lines);
  ASSERT_NE(head, nullptr);
  EXPECT_TRUE(head->keep_alive);
  head = heads.read("HEAD / HTTP/1.0\r\n" + lines);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->method, Method::head);
  EXPECT_EQ(head->version, Version::http_1_0);
  EXPECT_FALSE(head->keep_alive);
  head = heads.read("GET / HTTP/1.1\r\n" + lines);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->method, Method::get);
  EXPECT_TRUE(head->keep_alive);
}

TEST(LineMemory, LinesWithoutAHostAreNotEnoughForTheNextVersion) {
  Heads heads;
  const std::string lines = "Some: thing\r\n\r\n";
  EXPECT_NE(heads.read("GET / HTTP/1.0\r\n" + lines), nullptr);
  EXPECT_EQ(heads.read("GET / HTTP/1.1\r\n" + lines), nullptr);
  const RequestHead* const head = heads.read("GET / HTTP/1.0\r\n" + lines, 100);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->authority, "");
  EXPECT_EQ(head->headers[0].value(), "thing");
}

TEST(LineMemory, AnyOtherByteIsLookedAt) {
  for (std::size_t at = 0; at < kLines.size(); ++at) {
    std::string other = kLines;
    other[at] = static_cast<char>(other[at] ^ 1);
    Heads heads, fresh;
    ASSERT_NE(heads.read("GET / HTTP/1.1\r\n" + kLines), nullptr);
    const RequestHead* const head = heads.read("GET / HTTP/1.1\r\n" + other);
    const RequestHead* const expected = fresh.read("GET / HTTP/1.1\r\n" + other);
    ASSERT_EQ(head == nullptr, expected == nullptr) << at;
    if (head == nullptr) continue;
    EXPECT_EQ(head->authority, expected->authority);
    EXPECT_EQ(head->keep_alive, expected->keep_alive);
    ASSERT_EQ(head->headers.size(), expected->headers.size());
    for (std::size_t i = 0; i < head->headers.size(); ++i) {
      EXPECT_EQ(head->headers[i].name(), expected->headers[i].name());
      EXPECT_EQ(head->headers[i].value(), expected->headers[i].value());
    }
  }
}

TEST(LineMemory, RemembersLinesUpToItsSizeAndMoreOfThemOrFewerAreOthers) {
  const auto lines_of = [](std::size_t size) {
    const std::string name = "Host: a\r\nX: ", end = "\r\n\r\n";
    return name + std::string(size - name.size() - end.size(), 'x') + end;
  };
  Heads heads;
  for (const std::size_t size : std::array<std::size_t, 4>{LineMemory::kSizeMax, 40, 41, 40}) {
    EXPECT_NE(heads.read("GET / HTTP/1.1\r\n" + lines_of(size)), nullptr);
    EXPECT_EQ(heads.remembered(), size);
  }
  EXPECT_NE(heads.read("GET / HTTP/1.1\r\n" + lines_of(LineMemory::kSizeMax + 1)), nullptr);
  EXPECT_EQ(heads.remembered(), 0u);
}

// Byte by byte all of them are llhttp's, and nothing is remembered.
TEST(LineMemory, HeadsOfAllKindsInARowAreReadAsIfEachWereTheFirst) {
  const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  const std::string other = "GET /long/b HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";
  const std::string post = "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
  const std::string absolute = "GET http://c/d HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  const std::vector<std::string> rows = {
      get + get + other + get + post + get + get + absolute + get,
      post + get + absolute + absolute + get + post + post + other + other + other,
      get + "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 3\r\n\r\nabc" + get,
      get + "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n" + get,
  };
  for (const std::string& row : rows) {
    const Replay slow = replay(row, {{1}});
    EXPECT_EQ(replay(row), slow);
    for (std::size_t cut = 1; cut < row.size(); ++cut) {
      ASSERT_EQ(replay(row, {{cut, get.size()}}), slow) << "cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace weft::http::protocol
