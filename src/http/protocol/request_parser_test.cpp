// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/request_parser.hpp"

#include "http/protocol/replay.hpp"
#include "http/protocol/request_corpus.hpp"

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

const ReplayedRequest& only_request(const Replay& replay) {
  EXPECT_EQ(replay.requests.size(), 1u) << replay;
  static const ReplayedRequest none;
  return replay.requests.empty() ? none : replay.requests.front();
}

TEST(RequestParser, AcceptsWhatTheRfcsAllow) {
  for (const CorpusCase& test : accepted_requests()) {
    const Replay result = replay(test.bytes);
    EXPECT_EQ(result.refused_with, 0) << test.what << ": " << result;
    ASSERT_FALSE(result.requests.empty()) << test.what;
    for (const ReplayedRequest& request : result.requests) {
      EXPECT_TRUE(request.complete && !request.broken) << test.what << ": " << result;
    }
  }
}

TEST(RequestParser, RefusesEachKindOfMalformedRequestWithItsStatus) {
  for (const CorpusCase& test : refused_requests()) {
    const Replay result = replay(test.bytes);
    EXPECT_EQ(result.refused_with, test.status) << test.what << ": " << result;
    EXPECT_NE(result.reason, "") << test.what;
  }
}

TEST(RequestParser, ComesToTheSameOutcomeWhereverTheBytesAreCut) {
  std::vector<CorpusCase> cases = accepted_requests();
  for (CorpusCase& test : refused_requests()) cases.push_back(std::move(test));
  for (const CorpusCase& test : cases) {
    const Replay whole = replay(test.bytes);
    EXPECT_EQ(replay(test.bytes, {{1}}), whole) << test.what << " byte by byte";
    EXPECT_EQ(replay(test.bytes, {{}, 1}), whole) << test.what << " pulled byte by byte";
    for (std::size_t cut = 1; cut < test.bytes.size(); ++cut) {
      ASSERT_EQ(replay(test.bytes, {{cut, test.bytes.size()}}), whole) << test.what << " cut at " << cut;
    }
  }
}

TEST(RequestParser, LooksAtNoByteBehindARefusal) {
  for (const CorpusCase& test : refused_requests()) {
    const Replay alone = replay(test.bytes);
    EXPECT_EQ(replay(test.bytes + WEFT_GET("")), alone) << test.what;
  }
}

TEST(RequestParser, ReadsRegisteredMethodsWhereverTheyAreCut) {
  const Method brew = register_method("BREW");
  const Method play = register_method("PLAY");  // one of RTSP's, in HTTP
  const std::string bytes = "\r\nBREW /a HTTP/1.1\r\n" WEFT_HOST
                            "Transfer-Encoding: chunked\r\n\r\n"
                            "2\r\nhi\r\n0\r\n\r\nPLAY /b HTTP/1.1\r\n" WEFT_HOST
                            "Content-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\n" WEFT_HOST "\r\n";
  const Replay whole = replay(bytes);
  ASSERT_EQ(whole.requests.size(), 3u) << whole;
  EXPECT_EQ(whole.requests[0].method, brew);
  EXPECT_EQ(whole.requests[0].target + whole.requests[0].body, "/ahi");
  EXPECT_EQ(whole.requests[1].method, play);
  EXPECT_EQ(whole.requests[1].target + whole.requests[1].body, "/babc");
  EXPECT_EQ(whole.requests[2].method, Method::get);
  EXPECT_EQ(whole.refused_with, 0) << whole;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_EQ(replay(bytes, {{cut, bytes.size()}}), whole) << cut;
  }
  EXPECT_EQ(replay(bytes, {{1}, 1}), whole);
  EXPECT_EQ(replay("BREW http:/ HTTP/1.1\r\n" WEFT_HOST "\r\n").refused_with, 400);
  EXPECT_EQ(replay("BREW  / HTTP/1.1\r\n" WEFT_HOST "\r\n").refused_with, 400);
  EXPECT_EQ(replay("BREW / RTSP/1.0\r\n" WEFT_HOST "\r\n").refused_with, 400);
  EXPECT_EQ(replay("PLAY / RTSP/1.0\r\n" WEFT_HOST "\r\n").refused_with, 400);
}

TEST(RequestParser, ReportsTheRequestLineAndHeadersAsSent) {
  const Replay result = replay("PUT /a/b?c=d HTTP/1.1\r\nHost: h:1\r\nX-Y: \t v w \r\nx-y:2\r\n\r\n");
  const ReplayedRequest& request = only_request(result);
  EXPECT_EQ(request.method, Method::put);
  EXPECT_EQ(request.target, "/a/b?c=d");
  EXPECT_EQ(request.path, "/a/b");
  EXPECT_EQ(request.query, "c=d");
  EXPECT_EQ(request.authority, "h:1");
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Host", "h:1"}, {"X-Y", "v w"}, {"x-y", "2"}};
  EXPECT_EQ(request.headers, headers);
}

TEST(RequestParser, TakesPathAndAuthorityFromAnAbsoluteTarget) {
  const Replay result = replay("GET HTTP://B:2/p?q HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(only_request(result).path, "/p");
  EXPECT_EQ(only_request(result).query, "q");
  EXPECT_EQ(only_request(result).authority, "B:2");
}

TEST(RequestParser, GivesAnAbsoluteTargetWithoutAPathTheRoot) {
  EXPECT_EQ(only_request(replay("GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n")).path, "/");
  EXPECT_EQ(only_request(replay("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n")).path, "*");
}

TEST(RequestParser, LeavesNothingOfARequestInTheNext) {
  const Replay result = replay(
      "GET http://b/p?q HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
      "OPTIONS * HTTP/1.1\r\nHost: c\r\n\r\n" WEFT_POST("Content-Length: 1\r\n") "x" WEFT_GET(""));
  ASSERT_EQ(result.requests.size(), 4u) << result;
  EXPECT_EQ(result.requests[1].query, "");
  EXPECT_EQ(result.requests[1].authority, "c");
  EXPECT_EQ(result.requests[1].headers.size(), 1u);
  EXPECT_EQ(result.requests[3].body, "");
}

TEST(RequestParser, KeepsTheConnectionAsVersionAndOptionsSay) {
  const auto kept = [](std::string_view bytes) { return only_request(replay(bytes)).keep_alive; };
  EXPECT_TRUE(kept(WEFT_GET("")));
  EXPECT_FALSE(kept(WEFT_GET("Connection: x, CLOSE\r\n")));
  EXPECT_FALSE(kept(WEFT_GET("Connection: keep-alive\r\nConnection: close\r\n")));
  EXPECT_TRUE(kept(WEFT_GET("Connection: closed\r\n")));
  EXPECT_FALSE(kept("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(kept("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParser, ExpectsContinueOnlyIn11AndWithABody) {
  const auto expects = [](std::string_view bytes) { return only_request(replay(bytes)).expects_continue; };
  EXPECT_TRUE(expects(WEFT_POST("Expect: 100-CONTINUE\r\nContent-Length: 1\r\n") "x"));
  EXPECT_FALSE(expects(WEFT_POST("Content-Length: 1\r\n") "x"));
  EXPECT_FALSE(expects(WEFT_GET("Expect: 100-continue\r\n")));
  EXPECT_FALSE(expects("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"));
}

TEST(RequestParser, DecodesChunksAndDropsExtensionsAndTrailers) {
  const Replay result =
      replay(WEFT_CHUNKED("3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: u\r\n\r\n") WEFT_GET(""));
  ASSERT_EQ(result.requests.size(), 2u) << result;
  EXPECT_EQ(result.requests[0].body, "abc0123456789");
  EXPECT_EQ(result.requests[0].headers.size(), 2u);
  EXPECT_EQ(result.requests[1].target, "/");
}

TEST(RequestParser, LeavesTheBytesBehindAMessageForTheNext) {
  std::string bytes = WEFT_GET("") "GET /next HTTP/1.1\r\n";
  RequestParser parser;
  const Limits limits;
  parser.begin(bytes.data(), limits);
  ASSERT_EQ(parser.parse_head(bytes.data() + bytes.size()), HeadStatus::kComplete);
  EXPECT_TRUE(parser.finished());
  EXPECT_EQ(parser.cursor() - bytes.data(), static_cast<std::ptrdiff_t>(sizeof(WEFT_GET("")) - 1));
}

TEST(RequestParser, ConsumesNoMoreOfABodyThanIsPulled) {
  std::string bytes = WEFT_POST("Content-Length: 10\r\n") "0123456789";
  const char* end = bytes.data() + bytes.size();
  RequestParser parser;
  const Limits limits;
  parser.begin(bytes.data(), limits);
  ASSERT_EQ(parser.parse_head(end), HeadStatus::kComplete);
  EXPECT_EQ(end - parser.cursor(), 10);
  EXPECT_EQ(parser.pull_body(end, 4).data, "0123");
  EXPECT_EQ(end - parser.cursor(), 6);
  EXPECT_EQ(parser.fixed_left(), 6u);
}

TEST(RequestParser, RefusesForEverOnceItRefused) {
  std::string bytes = WEFT_CHUNKED("x");
  const char* end = bytes.data() + bytes.size();
  RequestParser parser;
  const Limits limits;
  parser.begin(bytes.data(), limits);
  ASSERT_EQ(parser.parse_head(end), HeadStatus::kComplete);
  EXPECT_EQ(parser.pull_body(end, 9).status, BodyStatus::kRefused);
  EXPECT_EQ(parser.pull_body(end, 9).status, BodyStatus::kRefused);
  EXPECT_EQ(parser.parse_head(end), HeadStatus::kRefused);
}

}  // namespace
}  // namespace weft::http::protocol
