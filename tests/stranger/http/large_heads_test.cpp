// SPDX-License-Identifier: Apache-2.0
// Heads as large as `Limits` says, both ways: requests beyond 19 KiB were refused and responses beyond 8 KiB
// failed, whatever the limits.
#include "raw_client.hpp"

#include <algorithm>
#include <vector>

namespace {

using stranger::body_of;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Limits;
using weft::http::Request;
using weft::http::Response;

std::string value_of(int index, std::size_t size) { return std::to_string(index) + std::string(size, 'v'); }

TEST(LargeHeads, OfRequestsArriveAsFarAsTheLimitSays) {
  stranger::in_fiber([] {
    weft::http::Server server(Limits{.request_line_size_max = 100'000, .head_size_max = 200'000});
    std::vector<std::string> values;
    server.post("/*path", [&](const Request& request, Response& response) {
      values.assign(1, std::string(request.path()));
      request.headers().for_each("X", [&](std::string_view value) { values.emplace_back(value); });
      response.text(request.read_all().value());
    });
    const auto address = server.start("127.0.0.1:0").value();
    stranger::RawClient client(address);
    const std::string path = "/" + std::string(60'000, 'p');
    std::string request = "POST " + path + " HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 10; ++i) request += "X: " + value_of(i, 10'000) + "\r\n";
    request += "Content-Length: 5\r\n";
    const std::string next =
        "POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    client.send(request + "\r\nwhole" + next);
    const std::string replies = client.read_to_end();
    EXPECT_EQ(stranger::count_of(replies, "HTTP/1.1 200 OK"), 2u) << replies;
    EXPECT_EQ(stranger::count_of(replies, "\r\n\r\nwhole"), 1u) << replies;
    EXPECT_TRUE(replies.ends_with("\r\n\r\nhi")) << replies;
    EXPECT_EQ(values, std::vector<std::string>{"/next"});
    EXPECT_EQ(body_of(reply_to(address, request + "Connection: close\r\n\r\nwhole")), "whole");
    ASSERT_EQ(values.size(), 11u);
    EXPECT_EQ(values[0], path);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(values[1 + static_cast<std::size_t>(i)], value_of(i, 10'000));
  });
}

TEST(LargeHeads, BeyondALimitTheLimitIsNamed) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/*path", [](const Request&, Response& response) { response.text("served"); });
    const auto address = server.start("127.0.0.1:0").value();
    const std::string end = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    const auto reply = [&](const std::string& target, const std::string& lines) {
      return reply_to(address, "GET " + target + end + lines + "\r\n");
    };
    const std::string ten_thousand(10'000, 'x'), many(100'000, 'x');
    std::string lines;
    for (int i = 0; i < 101; ++i) lines += "A: b\r\n";
    const std::pair<std::string, std::string> cases[] = {
        {reply("/" + ten_thousand, ""),
         "URI Too Long: the request line is larger than request_line_size_max"},
        {reply("/" + many, ""), "URI Too Long: the request line is larger than request_line_size_max"},
        {reply("/", "X: " + many + "\r\n"),
         "Request Header Fields Too Large: the request's head is larger than head_size_max"},
        {reply("/", lines),
         "Request Header Fields Too Large: the request has more headers than header_count_max"},
        {reply("/", "Content-Length: 2000000\r\n"),
         "Content Too Large: the request's body is larger than body_size_max"}};
    const int statuses[] = {414, 414, 431, 431, 413};
    for (std::size_t i = 0; i < std::size(cases); ++i) {
      EXPECT_EQ(status_of(cases[i].first), statuses[i]) << cases[i].first;
      EXPECT_EQ(body_of(cases[i].first), cases[i].second);
    }
    weft::http::Server small(Limits{.request_line_size_max = 1 << 20, .head_size_max = 1000});
    const auto other = small.start("127.0.0.1:0").value();
    const std::string long_target = reply_to(other, "GET /" + many + end + "\r\n");
    EXPECT_EQ(status_of(long_target), 414) << long_target;
    EXPECT_EQ(body_of(long_target), "URI Too Long: the request line is larger than head_size_max");
  });
}

TEST(LargeHeads, ARefusedBodySaysWhyToo) {
  stranger::in_fiber([] {
    weft::http::Server server(Limits{.body_size_max = 3, .chunk_overhead_max = 20});
    server.post("/", [](const Request& request, Response& response) {
      response.text(request.read_all().value_or("unread"));
    });
    const auto address = server.start("127.0.0.1:0").value();
    const std::string head =
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(body_of(reply_to(address, head + "4\r\nfour\r\n0\r\n\r\n")),
              "Content Too Large: the request's body is larger than body_size_max");
    EXPECT_EQ(
        body_of(reply_to(address, head + "1;" + std::string(30, 'x') + "\r\nx\r\n0\r\n\r\n")),
        "Request Header Fields Too Large: chunk extensions and trailers are larger than chunk_overhead_max");
    EXPECT_EQ(body_of(stranger::RawClient(address).send(head + "2\r\nx").finish_sending().read_to_end()),
              "Bad Request: the request ends within its body");
    const std::string malformed = reply_to(address, head + "zz\r\n");
    EXPECT_EQ(status_of(malformed), 400);
    EXPECT_TRUE(body_of(malformed).starts_with("Bad Request: ")) << malformed;
  });
}

// It was kept for whatever the same buffers served next.
TEST(LargeHeads, AReasonIsNoneOfTheNextRequests) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.post("/unread", [](const Request&, Response& response) { response.text("unread"); });
    server.post("/streamed", [](const Request& request, Response& response) {
      response.write("begun").value();
      EXPECT_FALSE(request.read_all());
    });
    server.get("/", [](const Request&, Response&) { throw 42; });
    const auto address = server.start("127.0.0.1:0").value();
    for (const std::string path : {"/unread", "/streamed"}) {
      const std::string cut_off = "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
      const std::string reply = stranger::RawClient(address).send(cut_off).finish_sending().read_to_end();
      EXPECT_EQ(status_of(reply), 200) << reply;
      EXPECT_EQ(body_of(reply_to(address, stranger::get("/"))), "Internal Server Error") << path;
    }
  });
}

TEST(LargeHeads, OfResponsesAreSentAsFarAsTheLimitSays) {
  stranger::in_fiber([] {
    weft::http::Server server(Limits{.response_head_size_max = 100'000});
    std::vector<std::string> errors;
    server.get("/large", [&](const Request&, Response& response) {
      for (int i = 0; i < 9; ++i) response.header("X", value_of(i, 10'000)).value();
      const auto refused = response.header("X", value_of(9, 10'000));
      errors.push_back(refused ? "" : refused.error().message());
      response.text("body");
    });
    server.get("/streamed", [&](const Request&, Response& response) {
      for (int i = 0; i < 5; ++i) response.header("X", value_of(i, 10'000)).value();
      for (const char* piece : {"a", "bc", "def"}) response.write(piece).value();
    });
    server.get("/small", [](const Request&, Response& response) { response.text("small"); });
    const auto address = server.start("127.0.0.1:0").value();
    const std::string request =
        "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /small HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /streamed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const std::string replies = reply_to(address, request);
    EXPECT_EQ(stranger::count_of(replies, "HTTP/1.1 200 OK"), 3u);
    for (int i = 0; i < 9; ++i) {
      EXPECT_EQ(stranger::count_of(replies, "\r\nX: " + value_of(i, 10'000) + "\r\n"), i < 5 ? 2u : 1u) << i;
    }
    EXPECT_EQ(stranger::count_of(replies, "\r\n\r\nbodyHTTP/1.1"), 1u);
    EXPECT_EQ(stranger::count_of(replies, "\r\n\r\nsmallHTTP/1.1"), 1u);
    EXPECT_TRUE(replies.ends_with("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"))
        << replies.substr(replies.size() - 60);
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0], std::error_code(weft::Errc::message_too_large).message());
  });
}

}  // namespace
