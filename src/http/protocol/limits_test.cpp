// SPDX-License-Identifier: Apache-2.0
// Each limit, exactly at it and one beyond, wherever the bytes are cut.

#include "http/protocol/replay.hpp"
#include "http/protocol/request_corpus.hpp"

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

// The status with which `bytes` are refused (0: not), the same whole, byte by byte and in odd pieces.
int outcome(const std::string& bytes, const Limits& limits, std::size_t capacity = 20480) {
  const Replay whole = replay(bytes, {}, limits, capacity);
  for (const Cuts& cuts : {Cuts{{1}}, Cuts{{7}, 3}, Cuts{{1000, 13}}}) {
    EXPECT_EQ(replay(bytes, cuts, limits, capacity), whole);
  }
  if (whole.refused_with == 0) {
    EXPECT_FALSE(whole.requests.empty());
    EXPECT_TRUE(whole.requests.empty() || whole.requests.back().complete) << whole;
  }
  return whole.refused_with;
}

std::string with_target(std::size_t request_line_size) {
  const std::string target = "/" + std::string(request_line_size - sizeof("GET /") + 1, 'x');
  return "GET " + target + " HTTP/1.1\r\n" WEFT_HOST "\r\n";
}

std::string with_head(std::size_t head_size) {
  const std::string front = "GET / HTTP/1.1\r\n" WEFT_HOST "X: ";
  return front + std::string(head_size - front.size() - 4, 'v') + "\r\n\r\n";
}

std::string with_headers(std::size_t count) {
  std::string text = "GET / HTTP/1.1\r\n" WEFT_HOST;
  for (std::size_t i = 1; i < count; ++i) text += "A:\r\n";
  return text + "\r\n";
}

std::string chunks(std::size_t count, std::string_view chunk) {
  std::string text = WEFT_POST("Transfer-Encoding: chunked\r\n");
  for (std::size_t i = 0; i < count; ++i) text += chunk;
  return text + "0\r\n\r\n";
}

TEST(RequestLimits, TheLargestNumbersAreNoLimits) {
  constexpr std::size_t kMost = static_cast<std::size_t>(-1);
  for (const std::size_t size : {kMost, kMost - 1, kMost - 2, kMost - 3, kMost / 2}) {
    const Limits limits{.request_line_size_max = size,
                        .head_size_max = size,
                        .header_count_max = size,
                        .body_size_max = size,
                        .chunk_overhead_max = size};
    EXPECT_EQ(outcome(with_target(9000), limits), 0);
    EXPECT_EQ(outcome(with_head(18'000), limits), 0);
    EXPECT_EQ(outcome(with_head(19'000), limits), 0);
    EXPECT_EQ(replay(with_head(1 << 20), {}, limits).refused_with, 0);
    EXPECT_EQ(replay(with_head((1 << 20) + 1), {}, limits).refused_with, 431);
    EXPECT_EQ(replay(with_target(1 << 20), {}, limits).refused_with, 414);
    EXPECT_EQ(outcome(with_headers(kHeaderCapacity), limits), 0);
    EXPECT_EQ(outcome(chunks(1000, "1;a=b\r\nx\r\n"), limits), 0);
  }
}

TEST(RequestLimits, HoldTheRequestLine) {
  const Limits limits;
  EXPECT_EQ(outcome(with_target(limits.request_line_size_max), limits), 0);
  EXPECT_EQ(outcome(with_target(limits.request_line_size_max + 1), limits), 414);
  EXPECT_EQ(outcome("GET /" + std::string(100'000, 'x'), limits), 414);
}

// A registered method's name was looked at beyond the limit, and what followed beyond the buffer.
TEST(RequestLimits, HoldTheRequestLineOfARegisteredMethod) {
  register_method("REGISTERED-HERE");
  const std::string bytes = "REGISTERED-HERE /abc HTTP/1.1\r\n" WEFT_HOST "\r\n";
  const std::size_t line = std::string_view("REGISTERED-HERE /abc").size();
  for (std::size_t size = 0; size < line + 3; ++size) {
    Limits limits;
    limits.request_line_size_max = size;
    EXPECT_EQ(outcome(bytes, limits), size < line ? 414 : 0) << size;
    EXPECT_EQ(outcome("\r\n" + bytes, limits), size < line + 2 ? 414 : 0) << size;
    limits.request_line_size_max = 1000;
    limits.head_size_max = size;
    EXPECT_NE(outcome(bytes, limits), 0) << size;
  }
  Limits limits;
  limits.head_size_max = bytes.size();
  EXPECT_EQ(outcome(bytes, limits, 2050), 0) << "of a buffer that has to grow for the name";
}

TEST(RequestLimits, HoldTheHead) {
  const Limits limits;
  ASSERT_EQ(with_head(500).size(), 500u);
  EXPECT_EQ(outcome(with_head(limits.head_size_max), limits), 0);
  EXPECT_EQ(outcome(with_head(limits.head_size_max + 1), limits), 431);
  EXPECT_EQ(outcome(with_head(100'000), limits), 431);
}

TEST(RequestLimits, HoldAHeadThatTheBufferHasNoRoomFor) {
  constexpr std::size_t kCapacity = 8192, kRoom = kCapacity - RequestReader::kBodyWindowMin;
  Limits limits;
  for (const std::size_t size : {kRoom - 1, kRoom, kRoom + 1, 2 * kCapacity, std::size_t{70'000}}) {
    limits.head_size_max = size;
    limits.request_line_size_max = size / 2;
    EXPECT_EQ(outcome(with_head(size), limits, kCapacity), 0) << size;
    EXPECT_EQ(outcome(with_head(size + 1), limits, kCapacity), 431) << size;
    EXPECT_EQ(outcome(with_target(size / 2), limits, kCapacity), 0) << size;
    EXPECT_EQ(outcome(with_target(size / 2 + 1), limits, kCapacity), 414) << size;
    limits.request_line_size_max = 1 << 20;
    EXPECT_EQ(outcome(with_target(size + 1), limits, kCapacity), 414) << size;
  }
}

// The larger buffer is given up again; what came behind the large request is not lost with it.
TEST(RequestLimits, LetOrdinaryRequestsFollowALargeOne) {
  Limits limits;
  limits.head_size_max = 40'000;
  const std::string body(30'000, 'b');
  const std::string large = "POST / HTTP/1.1\r\n" WEFT_HOST "X: " + std::string(30'000, 'x') +
                            "\r\nContent-Length: 30000\r\n\r\n" + body;
  const std::string bytes = WEFT_GET("") + large + WEFT_GET("Y: 1\r\n") + large + WEFT_GET("");
  for (const Cuts& cuts : {Cuts{}, Cuts{{1}}, Cuts{{1000, 13}, 5}, Cuts{{40'000}}, Cuts{{100'000}}}) {
    const Replay result = replay(bytes, cuts, limits, 8192);
    ASSERT_EQ(result.requests.size(), 5u) << result.refused_with;
    EXPECT_EQ(result.requests[1].headers.at(1).second, std::string(30'000, 'x'));
    EXPECT_EQ(result.requests[1].body, body);
    EXPECT_EQ(result.requests[3].body, body);
    for (const ReplayedRequest& request : result.requests) EXPECT_TRUE(request.complete && !request.broken);
  }
}

TEST(RequestLimits, HoldTheNumberOfHeaders) {
  Limits limits;
  EXPECT_EQ(outcome(with_headers(100), limits), 0);
  EXPECT_EQ(outcome(with_headers(101), limits), 431);
  limits.header_count_max = 10'000;
  EXPECT_EQ(outcome(with_headers(kHeaderCapacity), limits), 0);
  EXPECT_EQ(outcome(with_headers(kHeaderCapacity + 1), limits), 431);
}

TEST(RequestLimits, HoldAFixedBody) {
  Limits limits;
  limits.body_size_max = 1000;
  const auto post = [](std::size_t size) {
    return "POST / HTTP/1.1\r\n" WEFT_HOST "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'b');
  };
  EXPECT_EQ(outcome(post(1000), limits), 0);
  EXPECT_EQ(outcome(post(1001), limits), 413);
  limits.body_size_max = kUnlimited;
  EXPECT_EQ(outcome(post(100'000), limits), 0);
}

TEST(RequestLimits, HoldAChunkedBody) {
  Limits limits;
  limits.body_size_max = 1000;
  EXPECT_EQ(outcome(chunks(100, "a\r\n0123456789\r\n"), limits), 0);
  EXPECT_EQ(outcome(chunks(100, "a\r\n0123456789\r\n1\r\nx\r\n"), limits), 413);
  limits.body_size_max = kUnlimited;
  EXPECT_EQ(outcome(chunks(5'000, "a\r\n0123456789\r\n"), limits), 0);
}

TEST(RequestLimits, LetAnyNumberOfOneByteChunksPass) {
  EXPECT_EQ(outcome(chunks(20'000, "1\r\nx\r\n"), {}), 0);
}

TEST(RequestLimits, HoldChunkExtensions) {
  Limits limits;
  limits.chunk_overhead_max = 100;
  const auto extended = [](std::size_t framing) {
    // "1;" and CRLF are 4 bytes, then 1 byte of data gives 8 back
    return WEFT_POST("Transfer-Encoding: chunked\r\n") + ("1;" + std::string(framing - 4, 'e')) +
           "\r\nx\r\n0\r\n\r\n";
  };
  EXPECT_EQ(outcome(extended(100), limits), 0);
  EXPECT_EQ(outcome(extended(101), limits), 431);
}

TEST(RequestLimits, HoldLeadingZerosOfChunkSizes) {
  Limits limits;
  limits.chunk_overhead_max = 100;
  EXPECT_EQ(outcome(WEFT_POST("Transfer-Encoding: chunked\r\n") + std::string(1000, '0'), limits), 431);
}

TEST(RequestLimits, HoldTrailers) {
  Limits limits;
  limits.chunk_overhead_max = 100;
  const auto trailed = [](std::size_t framing) {
    return WEFT_POST("Transfer-Encoding: chunked\r\n") "0\r\nT: " + std::string(framing - 10, 't') +
           "\r\n\r\n";
  };
  EXPECT_EQ(outcome(trailed(100), limits), 0);
  EXPECT_EQ(outcome(trailed(101), limits), 431);
}

}  // namespace
}  // namespace weft::http::protocol
