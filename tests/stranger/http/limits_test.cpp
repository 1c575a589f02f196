// SPDX-License-Identifier: Apache-2.0
// Limits at the ends of their range wrapped: with chunk_overhead_max = kUnlimited one ordinary chunked
// request was an endless loop, with request_line_size_max = kUnlimited every request was answered with 414.
#include "raw_client.hpp"

#include <chrono>
#include <limits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::body_of;
using stranger::RawClient;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Limits;
using weft::http::Request;
using weft::http::Response;

constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
constexpr auto kLongest = std::chrono::milliseconds::max();
constexpr auto kBeforeAll = std::chrono::milliseconds::min();

void with_limits(const Limits& limits, const std::function<void(const weft::net::SocketAddress&)>& body) {
  stranger::in_fiber([&] {
    weft::http::Server server(limits);
    server.get("/", [](const Request&, Response& response) { response.text("hello"); });
    server.post("/", [](const Request& request, Response& response) {
      response.text(request.read_all(weft::http::kUnlimited).value());
    });
    server.post("/unread", [](const Request&, Response& response) { response.text("unread"); });
    body(server.start("127.0.0.1:0").value());
  });
}

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";

void expect_ordinary_requests_served(const Limits& limits) {
  with_limits(limits, [](const weft::net::SocketAddress& address) {
    EXPECT_EQ(body_of(reply_to(address, stranger::get("/"))), "hello");
    EXPECT_EQ(body_of(reply_to(address, std::string(kPost) + "Content-Length: 5\r\n\r\nwhole")), "whole");
    EXPECT_EQ(body_of(reply_to(address, std::string(kPost) +
                                            "Transfer-Encoding: chunked\r\n\r\n"
                                            "3\r\npie\r\n3;a=b\r\nces\r\n0\r\nTrailer: x\r\n\r\n")),
              "pieces");
    const std::string two = reply_to(
        address, "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + stranger::get("/"));
    EXPECT_TRUE(two.ends_with("hello")) << two;
  });
}

TEST(LimitsAtTheirEnds, EachSizeMayBeUnlimited) {
  const std::vector<Limits> all = {
      {.request_line_size_max = kMost}, {.head_size_max = kMost},
      {.header_count_max = kMost},      {.body_size_max = weft::http::kUnlimited},
      {.chunk_overhead_max = kMost},    {.unread_body_size_max = weft::http::kUnlimited},
  };
  for (const Limits& limits : all) expect_ordinary_requests_served(limits);
  for (const std::size_t size : {kMost, kMost - 1, kMost - 2, kMost / 2, kMost / 2 + 1}) {
    expect_ordinary_requests_served({.request_line_size_max = size,
                                     .head_size_max = size,
                                     .header_count_max = size,
                                     .body_size_max = size,
                                     .chunk_overhead_max = size,
                                     .unread_body_size_max = size});
  }
}

TEST(LimitsAtTheirEnds, EachTimeMayBeTheLongest) {
  expect_ordinary_requests_served({.head_timeout = kLongest,
                                   .body_timeout = kLongest,
                                   .write_timeout = kLongest,
                                   .idle_timeout = kLongest,
                                   .first_request_grace = kLongest,
                                   .idle_grace = kLongest});
}

TEST(LimitsAtTheirEnds, NothingIsAllowedByNothing) {
  with_limits({.request_line_size_max = 0},
              [](const auto& address) { EXPECT_EQ(status_of(reply_to(address, stranger::get("/"))), 414); });
  with_limits({.head_size_max = 0},
              [](const auto& address) { EXPECT_EQ(status_of(reply_to(address, stranger::get("/"))), 431); });
  with_limits({.header_count_max = 0},
              [](const auto& address) { EXPECT_EQ(status_of(reply_to(address, stranger::get("/"))), 431); });
  with_limits({.body_size_max = 0}, [](const auto& address) {
    EXPECT_EQ(status_of(reply_to(address, std::string(kPost) + "Content-Length: 1\r\n\r\nx")), 413);
    EXPECT_EQ(status_of(reply_to(address, std::string(kPost) + "Content-Length: 0\r\n\r\n")), 200);
  });
  with_limits({.chunk_overhead_max = 0}, [](const auto& address) {
    const std::string chunk = "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    EXPECT_EQ(status_of(reply_to(address, std::string(kPost) + chunk)), 431);
  });
}

TEST(LimitsAtTheirEnds, ANegativeTimeHasPassed) {
  for (const auto time : {kBeforeAll, -1ms, 0ms}) {
    with_limits({.head_timeout = time}, [](const auto& address) {
      EXPECT_EQ(status_of(RawClient(address).send("GET / HT").read_to_end()), 408);
    });
    with_limits({.body_timeout = time}, [](const auto& address) {
      RawClient client(address);
      client.send(std::string(kPost) + "Content-Length: 5\r\n\r\nwh");
      EXPECT_EQ(status_of(client.read_to_end()), 408);
    });
    with_limits({.idle_timeout = time},
                [](const auto& address) { EXPECT_EQ(RawClient(address).read_to_end(), ""); });
  }
}

}  // namespace
