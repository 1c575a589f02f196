// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/plain_head.hpp"

#include "http/protocol/byte_scan.hpp"
#include "http/protocol/replay.hpp"
#include "http/protocol/request_corpus.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

/// One look at what was received.
class PlainRead {
 public:
  explicit PlainRead(std::string received, const Limits& limits = {})
      : received_(std::move(received)),
        end_(read_plain_head(received_, limits, headers_.data(), memory_, head_)) {}

  bool taken() const { return end_ != nullptr; }
  /// Of the head.
  std::size_t size() const { return static_cast<std::size_t>(end_ - received_.data()); }
  const RequestHead& head() const { return head_; }

 private:
  std::string received_;
  std::array<Header, kHeaderCapacity> headers_;
  HeadMemory memory_;
  RequestHead head_;
  const char* end_;
};

const std::string kBrowser =
    "GET /a%20b/c?d=%zz&e? HTTP/1.1\r\nHost: www.example.org:81\r\nConnection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nX_Y.z: \t v\tw\xc3\xa4 \t\r\nEmpty:\r\n"
    "Cookie: session=5f2b8a; theme=dark\r\n\r\n";

TEST(PlainHead, TakesWhatMostClientsSend) {
  const PlainRead read(kBrowser + "GET /next");
  ASSERT_TRUE(read.taken());
  EXPECT_EQ(read.size(), kBrowser.size());
  const RequestHead& head = read.head();
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.version, Version::http_1_1);
  EXPECT_EQ(head.target, "/a%20b/c?d=%zz&e?");
  EXPECT_EQ(head.path, "/a%20b/c");
  EXPECT_EQ(head.query, "d=%zz&e?");
  EXPECT_EQ(head.authority, "www.example.org:81");
  EXPECT_EQ(head.body, BodyFraming::kNone);
  EXPECT_EQ(head.content_length, 0u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
  ASSERT_EQ(head.headers.size(), 6u);
  EXPECT_EQ(head.headers[3].name(), "X_Y.z");
  EXPECT_EQ(head.headers[3].value(), "v\tw\xc3\xa4");
  EXPECT_EQ(head.headers[4].name(), "Empty");
  EXPECT_EQ(head.headers[4].value(), "");
  EXPECT_EQ(head.headers[5].value(), "session=5f2b8a; theme=dark");
}

TEST(PlainHead, TakesBothMethodsAndBothVersions) {
  const PlainRead head("HEAD / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(head.taken());
  EXPECT_EQ(head.head().method, Method::head);
  EXPECT_EQ(head.head().version, Version::http_1_0);
  EXPECT_EQ(head.head().path, "/");
  EXPECT_EQ(head.head().headers.size(), 0u);
  EXPECT_FALSE(head.head().keep_alive);
  EXPECT_TRUE(PlainRead("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head().keep_alive);
  EXPECT_FALSE(PlainRead(WEFT_GET("connection: Close\r\n")).head().keep_alive);
  EXPECT_TRUE(PlainRead(WEFT_GET("Expect: 100-continue\r\n")).taken());
}

TEST(PlainHead, LeavesAloneWhatSaysMoreOrIsNotWhole) {
  const std::vector<std::string> others = {
      "",
      "GET",
      "GET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r",
      "\r\n" WEFT_GET(""),
      "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      WEFT_GET("Content-Length: 0\r\n"),
      WEFT_GET("Content-Length: 3\r\n") "abc",
      WEFT_GET("tRANSFER-eNCODING: chunked\r\n") "0\r\n\r\n",
      WEFT_GET("Expect: the best\r\n"),
      WEFT_GET("A : b\r\n"),
      WEFT_GET(": b\r\n"),
      WEFT_GET("A\r\n"),
      WEFT_GET("A: b\r\n c\r\n"),
      WEFT_GET("A: b\n"),
      WEFT_GET("A: b\rc\r\n"),
      WEFT_GET("A: \x7f\r\n"),
  };
  for (const std::string& other : others) EXPECT_FALSE(PlainRead(other).taken()) << other;
}

TEST(PlainHead, TakesAHeadOfExactlyTheLimitsAndNoLarger) {
  const std::string bytes = "GET /abc?d HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
  const auto taken = [&](Limits limits) { return PlainRead(bytes + "GET /next", limits).taken(); };
  const std::size_t line = std::string_view("GET /abc?d").size();
  EXPECT_TRUE(taken({.head_size_max = bytes.size()}));
  EXPECT_FALSE(taken({.head_size_max = bytes.size() - 1}));
  EXPECT_TRUE(taken({.request_line_size_max = line}));
  EXPECT_FALSE(taken({.request_line_size_max = line - 1}));
  EXPECT_TRUE(taken({.header_count_max = 2}));
  EXPECT_FALSE(taken({.header_count_max = 1}));
  EXPECT_FALSE(taken({.head_size_max = 0, .header_count_max = 0}));
}

// What comes byte by byte is read by llhttp.
TEST(PlainHead, SaysWhatLlhttpSaysWhicheverByteIsChanged) {
  const std::vector<std::string> heads = {
      "GET /ab?c%d HTTP/1.1\r\nHost: a:80\r\nX-Yz:  b c \r\n\r\n",
      "HEAD /%41 HTTP/1.0\r\nConnection: keep-alive\r\nExpect:\r\n\r\n",
  };
  constexpr std::size_t kCapacity = RequestReader::kBodyWindowMin + 200;
  for (const std::string& head : heads) {
    ASSERT_TRUE(PlainRead(head).taken()) << head;
    for (std::size_t at = 0; at < head.size(); ++at) {
      std::string changed = head;
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<char>(value);
        const Replay whole = replay(changed, {}, {}, kCapacity);
        ASSERT_EQ(whole, replay(changed, {{1}}, {}, kCapacity))
            << changed << ": byte " << at << " is " << value;
        if (PlainRead(changed).taken()) {
          ASSERT_EQ(whole.requests.size(), 1u) << changed;
        }
      }
    }
  }
}

template <CharacterClass kClass>
void expect_runs_end_as_the_table_says() {
  for (std::size_t size = 0; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string text = std::string(kScanWidth, '#') + std::string(size, 'a') + "\r\n\x80";
        text[kScanWidth + at] = static_cast<char>(value);
        const char* const first = text.data() + kScanWidth;
        const std::size_t expected = is(kClass, static_cast<char>(value)) ? size : at;
        ASSERT_EQ(end_of_run<kClass>(first, first + size) - first, static_cast<std::ptrdiff_t>(expected))
            << "byte " << value << " at " << at << " of " << size;
      }
    }
  }
}

TEST(ByteScan, EndsRunsWhereTheTableOfCharactersSays) {
  expect_runs_end_as_the_table_says<kTokenCharacter>();
  expect_runs_end_as_the_table_says<kValueCharacter>();
  expect_runs_end_as_the_table_says<kPathCharacter>();
  expect_runs_end_as_the_table_says<kQueryCharacter>();
}

}  // namespace
}  // namespace weft::http::protocol
