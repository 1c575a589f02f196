// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/request_reader.hpp"

#include "http/protocol/replay.hpp"
#include "http/protocol/request_corpus.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

class RequestReaderTest : public testing::Test {
 protected:
  void receive(std::string_view bytes) {
    ASSERT_LE(bytes.size(), reader_.free_space().size());
    std::memcpy(reader_.free_space().data(), bytes.data(), bytes.size());
    reader_.received(bytes.size());
  }

  std::vector<char> buffer_ = std::vector<char>(RequestReader::kBodyWindowMin + 1024);
  RequestReader reader_{buffer_, Limits{}};
};

TEST_F(RequestReaderTest, IsAtABoundaryUntilMoreThanEmptyLinesCame) {
  EXPECT_TRUE(reader_.at_boundary());
  receive("\r\n");
  EXPECT_EQ(reader_.parse_head(), HeadStatus::kNeedInput);
  EXPECT_TRUE(reader_.at_boundary());
  receive("G");
  EXPECT_EQ(reader_.parse_head(), HeadStatus::kNeedInput);
  EXPECT_FALSE(reader_.at_boundary());
}

TEST_F(RequestReaderTest, HasTheWholeBufferAgainWhenNothingIsLeftOver) {
  const std::size_t all = reader_.free_space().size();
  receive(WEFT_GET(""));
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  EXPECT_FALSE(reader_.next());
  EXPECT_EQ(reader_.free_space().size(), all);
  EXPECT_TRUE(reader_.at_boundary());
}

TEST_F(RequestReaderTest, ParsesPipelinedRequestsWhereTheyStand) {
  receive(WEFT_GET("") WEFT_GET("") "GET");
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  EXPECT_TRUE(reader_.next());
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  EXPECT_NE(reader_.head().target.data(), buffer_.data() + 4);
  EXPECT_TRUE(reader_.next());
  EXPECT_EQ(reader_.parse_head(), HeadStatus::kNeedInput);
  EXPECT_EQ(reader_.free_space().size(), buffer_.size() - 3)
      << "the cut off request was not moved to the front";
}

TEST_F(RequestReaderTest, ReusesTheBodyWindowOnceItsBytesWerePulled) {
  const std::string head = WEFT_POST("Content-Length: 100000\r\n");
  receive(head);
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  for (std::size_t left = 100'000; left > 0;) {
    const std::size_t size = std::min(left, reader_.free_space().size());
    ASSERT_GT(size, 0u);
    receive(std::string(size, 'x'));
    EXPECT_EQ(reader_.pull_body(buffer_.size()).data.size(), size);
    left -= size;
  }
  EXPECT_EQ(reader_.pull_body(1).status, BodyStatus::kEnd);
  EXPECT_EQ(reader_.head().target, "/");
}

TEST_F(RequestReaderTest, KeepsAPieceThatWasPulledInPart) {
  receive(WEFT_CHUNKED("4\r\nabcd"));
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  EXPECT_EQ(reader_.pull_body(1).data, "a");
  receive("\r\n0\r\n\r\n");
  EXPECT_EQ(reader_.pull_body(9).data, "bcd");
  EXPECT_EQ(reader_.pull_body(9).status, BodyStatus::kEnd);
}

TEST_F(RequestReaderTest, ReceivesABodyBeforeAHeadThatEndsAtTheBuffersEnd) {
  const std::string request = WEFT_POST("Content-Length: 3000\r\n");
  std::string bytes;
  while (bytes.size() + WEFT_BYTES(WEFT_GET("")).size() + request.size() <= buffer_.size())
    bytes += WEFT_GET("");
  const std::size_t before = bytes.size() / WEFT_BYTES(WEFT_GET("")).size();
  receive(bytes + request);
  for (std::size_t i = 0; i < before; ++i) {
    ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
    reader_.next();
  }
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  const std::span<char> space = reader_.free_space();
  EXPECT_EQ(space.data(), buffer_.data());
  EXPECT_LE(space.data() + space.size(), reader_.head().target.data() - 5) << "the head would be overwritten";
}

TEST_F(RequestReaderTest, LetsAFixedBodyPassByTheBuffer) {
  receive(WEFT_POST("Content-Length: 10\r\n") "abc");
  ASSERT_EQ(reader_.parse_head(), HeadStatus::kComplete);
  EXPECT_EQ(reader_.direct_size(), 0u) << "bytes are in the buffer";
  EXPECT_EQ(reader_.pull_body(9).data, "abc");
  EXPECT_EQ(reader_.direct_size(), 7u);
  reader_.received_directly(7);
  EXPECT_TRUE(reader_.finished());
}

TEST(RequestReader, ServesALongPipelineThroughASmallBuffer) {
  std::string bytes;
  for (int i = 0; i < 400; ++i) {
    bytes += i % 3 == 0 ? WEFT_CHUNKED("5\r\nhello\r\n0\r\n\r\n") : WEFT_GET("X: yyyyyyyyyyyyyyyyyyyy\r\n");
  }
  const std::size_t capacity = RequestReader::kBodyWindowMin + 200;
  for (const Cuts& cuts : {Cuts{}, Cuts{{1}}, Cuts{{97}}, Cuts{{2000, 3}}}) {
    const Replay result = replay(bytes, cuts, {}, capacity);
    EXPECT_EQ(result.requests.size(), 400u) << result.reason;
    EXPECT_EQ(result.refused_with, 0);
  }
}

}  // namespace
}  // namespace weft::http::protocol
