// SPDX-License-Identifier: Apache-2.0
// What a handler sees of a request's head, however it came: whole or in pieces, on a connection whose earlier
// requests were the same, or others.
#include "raw_client.hpp"

#include <vector>

namespace {

using stranger::body_of;
using weft::http::Header;
using weft::http::Request;
using weft::http::Response;

// Says all that it was asked.
void tell(const Request& request, Response& response) {
  std::string text(weft::http::to_string(request.method()));
  text.append(" ").append(request.target()).append(" ").append(request.path()).append(" at ");
  text.append(request.authority());
  for (const Header& header : request.headers())
    text.append(" [").append(header.name()).append("=").append(header.value()).append("]");
  response.text(text);
}

struct Case {
  std::string head;
  std::string told;
};

const std::vector<Case> kCases = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / / at a [Host=a]"},
    {"GET /b?c=%zz&d? HTTP/1.1\r\nHost: a:8080\r\n\r\n", "GET /b?c=%zz&d? /b at a:8080 [Host=a:8080]"},
    {"GET /%41/x HTTP/1.1\r\nhost: [::1]:1\r\n\r\n", "GET /%41/x /%41/x at [::1]:1 [host=[::1]:1]"},
    {"GET /e HTTP/1.1\r\nHost: a\r\nEmpty:\r\nX_y.Z:  v\tw \t\r\n\r\n",
     "GET /e /e at a [Host=a] [Empty=] [X_y.Z=v\tw]"},
    {"GET /e HTTP/1.1\r\nHost: a\r\nEmpty:\r\nX_y.Z:  v\tx \t\r\n\r\n",
     "GET /e /e at a [Host=a] [Empty=] [X_y.Z=v\tx]"},
    {"GET http://b/f HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b/f /f at b [Host=a]"},
    {"GET /b?c=%zz&d? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b?c=%zz&d? /b at a [Host=a]"},
    {"GET /g HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "GET /g /g at a [Host=a] [Content-Length=0]"},
    {"GET /h HTTP/1.1\r\nHost: a\r\n\r\n", "GET /h /h at a [Host=a]"},
    {"GET /long/h HTTP/1.1\r\nHost: a\r\n\r\n", "GET /long/h /long/h at a [Host=a]"},
};
const std::string kLast = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const std::string kLastTold = "GET /last /last at a [Host=a] [Connection=close]";

// The bodies, of responses that follow each other.
std::vector<std::string> bodies_of(std::string_view replies) {
  std::vector<std::string> bodies;
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  for (std::size_t at = replies.find(kLength); at != replies.npos; at = replies.find(kLength)) {
    const std::size_t size = std::stoul(std::string(replies.substr(at + kLength.size(), 6)));
    bodies.emplace_back(body_of(replies).substr(0, size));
    replies.remove_prefix(replies.find("\r\n\r\n") + 4 + size);
  }
  return bodies;
}

std::vector<std::string> all_told() {
  std::vector<std::string> told;
  for (const Case& each : kCases) told.push_back(each.told);
  told.push_back(kLastTold);
  return told;
}

std::string all_heads() {
  std::string heads;
  for (const Case& each : kCases) heads += each.head;
  return heads + kLast;
}

template <class Body>
void with_server(Body&& body) {
  stranger::in_fiber([&] {
    weft::http::Server server;
    server.get("/*path", tell);
    body(server.start("127.0.0.1:0").value());
    server.stop(weft::Deadline::after(std::chrono::seconds(5)));
    EXPECT_TRUE(server.wait());
  });
}

// Reads until the response has come whole: the connection stays.
std::string one_reply(stranger::RawClient& client) {
  std::string reply;
  std::array<char, 4096> part;
  while (bodies_of(reply).empty() || bodies_of(reply)[0].find("at ") == std::string::npos) {
    const auto n = client.stream().read_some(std::as_writable_bytes(std::span(part)));
    if (!n) return "closed: " + reply;
    reply.append(part.data(), *n);
  }
  return bodies_of(reply)[0];
}

TEST(Heads, SayTheSameOneAfterTheOtherAndTogether) {
  with_server([](const weft::net::SocketAddress& address) {
    stranger::RawClient client(address);
    for (int round = 0; round < 3; ++round) {
      for (const Case& each : kCases) {
        EXPECT_EQ(one_reply(client.send(each.head)), each.told);
        EXPECT_EQ(one_reply(client.send(each.head)), each.told);
      }
    }
    EXPECT_EQ(bodies_of(stranger::reply_to(address, all_heads())), all_told());
  });
}

TEST(Heads, SayTheSameWhereverTheyAreCut) {
  with_server([](const weft::net::SocketAddress& address) {
    const std::string heads = all_heads();
    for (std::size_t cut = 1; cut < heads.size(); cut += 3) {
      stranger::RawClient client(address);
      EXPECT_TRUE(client.stream().set_no_delay(true));
      client.send(heads.substr(0, cut)).send(heads.substr(cut));
      EXPECT_EQ(bodies_of(client.read_to_end()), all_told()) << "cut at " << cut;
    }
  });
}

TEST(Heads, OfConnectionsThatTakeTurnsAreNotMixedUp) {
  with_server([](const weft::net::SocketAddress& address) {
    stranger::RawClient a(address), b(address);
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < kCases.size(); ++i) {
        const Case& other = kCases[kCases.size() - 1 - i];
        a.send(kCases[i].head);
        b.send(other.head);
        EXPECT_EQ(one_reply(a), kCases[i].told);
        EXPECT_EQ(one_reply(b), other.told);
      }
    }
  });
}

}  // namespace
