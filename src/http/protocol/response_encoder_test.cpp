// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/response_encoder.hpp"

#include "http/protocol/body_encoder.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

constexpr std::string_view kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

class ResponseEncoderTest : public testing::Test {
 protected:
  std::string finish(std::string_view body) {
    const Result<EncodedResponse> response = encoder_.finish(body, kDate);
    return response ? std::string(response->head) + std::string(response->body) : "refused";
  }

  std::array<char, 1024> buffer_{};
  ResponseEncoder encoder_{buffer_};
};

TEST_F(ResponseEncoderTest, PutsAHelloIntoOnePiece) {
  EXPECT_TRUE(encoder_.add_header("Content-Type", "text/plain"));
  const Result<EncodedResponse> response = encoder_.finish("Hello world!", kDate);
  EXPECT_EQ(response.value().head,
            "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello world!");
  EXPECT_TRUE(response->body.empty());
}

TEST_F(ResponseEncoderTest, LeavesABodyThatDoesNotFitToItsCaller) {
  const std::string body(2000, 'b');
  const Result<EncodedResponse> response = encoder_.finish(body, kDate);
  EXPECT_EQ(response.value().body.data(), body.data());
  EXPECT_EQ(response->head, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 2000\r\n\r\n");
}

TEST_F(ResponseEncoderTest, WritesEveryStatusWithOrWithoutAName) {
  EXPECT_TRUE(encoder_.set_status(Status::request_header_fields_too_large));
  EXPECT_EQ(finish("").substr(0, 46), "HTTP/1.1 431 Request Header Fields Too Large\r\n");
  encoder_.begin({});
  EXPECT_TRUE(encoder_.set_status(static_cast<Status>(299)));
  EXPECT_EQ(finish("").substr(0, 15), "HTTP/1.1 299 \r\n");
}

TEST_F(ResponseEncoderTest, RefusesAStatusThatIsNotFinal) {
  for (const unsigned code : {0u, 99u, 100u, 101u, 199u, 600u, 65535u}) {
    EXPECT_FALSE(encoder_.set_status(static_cast<Status>(code))) << code;
  }
  EXPECT_EQ(encoder_.status(), Status::ok);
}

TEST_F(ResponseEncoderTest, RefusesWhatWouldInjectALine) {
  using namespace std::string_view_literals;
  for (const std::string_view value : {"a\r\nX: y"sv, "a\n"sv, "a\r"sv, "a\0b"sv, "\x01"sv, "\x7f"sv}) {
    EXPECT_EQ(encoder_.add_header("X", value).error(), Errc::malformed_message);
    EXPECT_EQ(encoder_.set_header("X", value).error(), Errc::malformed_message);
  }
  for (const std::string_view name : {""sv, "a b"sv, "a:"sv, "a\r\n"sv, "a\0"sv, "\xc3\xa4"sv}) {
    EXPECT_EQ(encoder_.add_header(name, "v").error(), Errc::malformed_message);
  }
  EXPECT_EQ(finish(""), "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n\r\n");
}

TEST_F(ResponseEncoderTest, DecidesAboutFramingAlone) {
  EXPECT_FALSE(encoder_.add_header("transfer-encoding", "chunked"));
  EXPECT_FALSE(encoder_.add_header("Connection", "upgrade"));
  EXPECT_FALSE(encoder_.add_header("Content-Length", "1x"));
  EXPECT_TRUE(encoder_.add_header("Content-Length", "3"));
  EXPECT_FALSE(encoder_.add_header("content-length", "4"));
  EXPECT_EQ(encoder_.finish("four", kDate).error(), Errc::malformed_message);
  EXPECT_EQ(finish("abc"), "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 3\r\n\r\nabc");
}

TEST_F(ResponseEncoderTest, SendsTheHandlersDateInsteadOfItsOwn) {
  EXPECT_TRUE(encoder_.add_header("date", "then"));
  EXPECT_FALSE(encoder_.add_header("Date", "later"));
  EXPECT_TRUE(encoder_.set_header("Date", "now"));
  EXPECT_EQ(finish(""), "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ResponseEncoderTest, ReplacesAllLinesOfANameAndNoOther) {
  for (const char* name : {"A", "AB", "a", "B", "A"}) EXPECT_TRUE(encoder_.add_header(name, "1"));
  EXPECT_TRUE(encoder_.set_header("a", "2"));
  EXPECT_TRUE(encoder_.has_header("AB") && encoder_.has_header("A") && !encoder_.has_header("C"));
  EXPECT_EQ(finish(""), "HTTP/1.1 200 OK\r\n" DATE "AB: 1\r\nB: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ResponseEncoderTest, ALineThatCannotBeSetLeavesTheOldOnes) {
  EXPECT_TRUE(encoder_.add_header("A", "1"));
  EXPECT_TRUE(encoder_.add_header("Content-Length", "0"));
  EXPECT_TRUE(encoder_.add_header("Date", "now"));
  EXPECT_EQ(encoder_.set_header("A", std::string(1000, 'x')).error(), Errc::message_too_large);
  EXPECT_EQ(encoder_.set_header("A", "\n").error(), Errc::malformed_message);
  EXPECT_EQ(encoder_.set_header("Content-Length", "-1").error(), Errc::malformed_message);
  EXPECT_EQ(encoder_.set_header("Date", std::string(1000, 'x')).error(), Errc::message_too_large);
  EXPECT_EQ(encoder_.set_header("Transfer-Encoding", "chunked").error(), Errc::malformed_message);
  EXPECT_EQ(encoder_.length(), 0u);
  EXPECT_EQ(finish(""), "HTTP/1.1 200 OK\r\nA: 1\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ResponseEncoderTest, A205SaysThatItHasNoContent) {
  for (const bool announced : {false, true}) {
    encoder_.begin({});
    EXPECT_TRUE(encoder_.set_status(Status::reset_content));
    if (announced) {
      EXPECT_TRUE(encoder_.add_header("Content-Length", "5"));
    }
    EXPECT_EQ(encoder_.finish("12345", kDate).error(), Errc::malformed_message);
    EXPECT_EQ(finish(""), "HTTP/1.1 205 Reset Content\r\n" DATE "Content-Length: 0\r\n\r\n");
    encoder_.begin({});
    EXPECT_TRUE(encoder_.set_status(Status::reset_content));
    const Result<std::string_view> head = encoder_.start_stream(kDate);
    EXPECT_EQ(head.value(), "HTTP/1.1 205 Reset Content\r\n" DATE "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(encoder_.framing(), ResponseFraming::kNone);
  }
}

TEST_F(ResponseEncoderTest, KeepsRoomForWhatItAddsItself) {
  const std::string value(100, 'v');
  while (encoder_.add_header("X", value)) {}
  for (char letter = 'v'; encoder_.add_header("Y", std::string_view(&letter, 1));) {}
  EXPECT_EQ(encoder_.add_header("Z", "").error(), Errc::message_too_large);
  encoder_.close_connection();
  const Result<std::string_view> head = encoder_.start_stream(kDate);
  EXPECT_TRUE(head.value().ends_with("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"));
}

TEST_F(ResponseEncoderTest, SaysWhatBecomesOfTheConnection) {
  encoder_.close_connection();
  EXPECT_NE(finish("").find("\r\nConnection: close\r\n\r\n"), std::string::npos);
  encoder_.begin({Method::get, Version::http_1_0, true});
  EXPECT_NE(finish("").find("\r\nConnection: keep-alive\r\n\r\n"), std::string::npos);
  encoder_.begin({});
  EXPECT_TRUE(encoder_.add_header("connection", "Close"));
  EXPECT_FALSE(encoder_.keep_alive());
  EXPECT_NE(finish("").find("\r\nConnection: close\r\n\r\n"), std::string::npos);
}

TEST_F(ResponseEncoderTest, AnswersHeadWithTheHeadersOfTheBody) {
  encoder_.begin({Method::head, Version::http_1_1, true});
  EXPECT_EQ(finish("Hello"), "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\n");
  encoder_.begin({Method::head, Version::http_1_1, true});
  EXPECT_TRUE(encoder_.add_header("Content-Length", "77"));
  EXPECT_EQ(finish(""), "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 77\r\n\r\n");
}

TEST_F(ResponseEncoderTest, SendsNoBodyAndNoLengthWhereTheStatusHasNone) {
  for (const Status status : {Status::no_content, Status::not_modified}) {
    encoder_.begin({});
    EXPECT_TRUE(encoder_.set_status(status));
    EXPECT_EQ(encoder_.finish("x", kDate).error(), Errc::malformed_message);
    EXPECT_EQ(finish("").find("Content-Length"), std::string::npos);
    encoder_.begin({});
    EXPECT_TRUE(encoder_.set_status(status));
    EXPECT_EQ(encoder_.start_stream(kDate).value().find("Transfer-Encoding"), std::string::npos);
    EXPECT_EQ(encoder_.framing(), ResponseFraming::kNone);
  }
}

TEST_F(ResponseEncoderTest, StreamsChunkedIn11AndUntilCloseIn10) {
  EXPECT_EQ(encoder_.start_stream(kDate).value(),
            "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(encoder_.framing(), ResponseFraming::kChunked);
  encoder_.begin({Method::get, Version::http_1_0, true});
  EXPECT_EQ(encoder_.start_stream(kDate).value(), "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\n");
  EXPECT_EQ(encoder_.framing(), ResponseFraming::kUntilClose);
  EXPECT_FALSE(encoder_.keep_alive());
}

TEST_F(ResponseEncoderTest, StreamsWithALengthThatWasSet) {
  encoder_.begin({Method::get, Version::http_1_0, true});
  EXPECT_TRUE(encoder_.add_header("Content-Length", "9"));
  EXPECT_EQ(encoder_.start_stream(kDate).value(),
            "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 9\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(encoder_.framing(), ResponseFraming::kFixed);
  EXPECT_EQ(encoder_.length(), 9u);
}

TEST_F(ResponseEncoderTest, AnswersARefusalMinimally) {
  EXPECT_EQ(
      encode_error(buffer_, bad_request("no Host"), kDate),
      "HTTP/1.1 400 Bad Request\r\n" DATE
      "Content-Type: text/plain\r\nContent-Length: 20\r\nConnection: close\r\n\r\nBad Request: no Host");
  EXPECT_TRUE(encode_error(std::span(buffer_).first(100), bad_request("no Host"), kDate).empty());
}

TEST(ResponseEncoderRoom, GrowsForTheHeadThatNeedsItAndNoFurther) {
  constexpr std::size_t kMost = 10'000;
  std::array<char, ResponseEncoder::kBufferSizeMin> buffer;
  ResponseEncoder encoder(buffer, kMost);
  for (int response = 0; response < 2; ++response) {
    encoder.begin({});
    std::string lines;
    std::size_t count = 0;
    for (;; ++count) {
      const std::string value(1 + count * 7 % 90, 'v');
      const Result<void> added =
          count % 2 == 0 ? encoder.add_header("X", value) : encoder.add_trusted_line("X: " + value + "\r\n");
      if (!added) {
        EXPECT_EQ(added.error(), Errc::message_too_large);
        break;
      }
      lines += "X: " + value + "\r\n";
    }
    EXPECT_GT(count, 100u);
    EXPECT_TRUE(encoder.set_header("X", "all of them").has_value());
    EXPECT_EQ(encoder.set_header("Y", std::string(kMost, 'y')).error(), Errc::message_too_large);
    EXPECT_TRUE(encoder.set_header("Y", std::string(kMost - 300, 'y')).has_value());
    const std::string head(encoder.finish("body", "")->head);
    EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nX: all of them\r\nY: " + std::string(kMost - 300, 'y') +
                        "\r\nContent-Length: 4\r\n\r\nbody");
    encoder.begin({});
    EXPECT_LE(encoder.free_space().size(), buffer.size()) << "the small buffer again";
  }
}

TEST(BodyEncoder, WrapsChunks) {
  BodyEncoder encoder(ResponseFraming::kChunked, std::nullopt);
  EXPECT_EQ(encoder.frame(1).value().prefix, "1\r\n");
  EXPECT_EQ(encoder.frame(0xabcdef)->prefix, "abcdef\r\n");
  EXPECT_EQ(encoder.frame(static_cast<std::size_t>(-1))->prefix, "ffffffffffffffff\r\n");
  EXPECT_EQ(encoder.frame(1)->suffix, "\r\n");
  EXPECT_EQ(encoder.finish().value(), "0\r\n\r\n");
}

TEST(BodyEncoder, WritesNoEmptyChunkBeforeTheEnd) {
  BodyEncoder encoder(ResponseFraming::kChunked, std::nullopt);
  EXPECT_TRUE(encoder.frame(0).value().prefix.empty() && encoder.frame(0)->suffix.empty());
}

TEST(BodyEncoder, HoldsTheAnnouncedLength) {
  BodyEncoder encoder(ResponseFraming::kFixed, 5);
  EXPECT_TRUE(encoder.frame(3));
  EXPECT_EQ(encoder.frame(3).error(), Errc::message_too_large);
  EXPECT_EQ(encoder.finish().error(), Errc::malformed_message);
  EXPECT_TRUE(encoder.frame(2));
  EXPECT_EQ(encoder.finish().value(), "");
}

TEST(BodyEncoder, DropsABodyThatMayNotBe) {
  BodyEncoder encoder(ResponseFraming::kNone, std::nullopt);
  EXPECT_TRUE(encoder.frame(10).value().drop);
  EXPECT_EQ(encoder.finish().value(), "");
}

}  // namespace
}  // namespace weft::http::protocol
