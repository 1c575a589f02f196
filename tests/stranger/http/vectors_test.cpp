// SPDX-License-Identifier: Apache-2.0
// Request heads that RFC 9110 and 9112 allow and that were refused, and ones that they do not allow and that
// reached a handler.
#include "raw_client.hpp"

namespace {

using stranger::body_of;
using stranger::get;
using stranger::has_line;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Request;
using weft::http::Response;

/// Answers with "METHOD path|body" what any route got.
class Echo {
 public:
  Echo() {
    for (const weft::http::Method method : {weft::http::Method::get, weft::http::Method::post}) {
      server_.route(method, "/*path", [this](const Request& request, Response& response) {
        ++handled_;
        const std::string body = request.read_all().value();
        response.text(std::string(request.path()) + "|" + body);
      });
    }
    address_ = server_.start("127.0.0.1:0").value();
  }

  std::string reply(std::string_view request) { return reply_to(address_, request); }
  int handled() const { return handled_; }

 private:
  weft::http::Server server_;
  weft::net::SocketAddress address_;
  int handled_ = 0;
};

constexpr std::string_view kEnd = "Connection: close\r\n\r\n";

TEST(Vectors, ALegalHeadReachesItsHandler) {
  stranger::in_fiber([] {
    Echo echo;
    const std::string host = "Host: a\r\n", end(kEnd), chunks = "3\r\nabc\r\n0\r\n\r\n";
    const std::pair<std::string, std::string> cases[] = {
        {"GET /v HTTP/1.2\r\n" + host + end, "/v|"},
        {"\r\nGET /v HTTP/1.1\r\n" + host + end, "/v|"},
        {"POST /v HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\t\r\n" + end + chunks, "/v|abc"},
        {"POST /v HTTP/1.1\r\n" + host + "Transfer-Encoding:\tchunked\r\n" + end + chunks, "/v|abc"},
        {"POST /v HTTP/1.1\r\n" + host + "Expect:\r\nContent-Length: 2\r\n" + end + "hi", "/v|hi"},
        {"GET /%c3%a4 HTTP/1.1\r\nHost: a%c3%a4:65535\r\n" + end, "/%c3%a4|"},
        {"GET /v?x=%zz HTTP/1.1\r\nHost:\r\n" + end, "/v|"}};
    for (const auto& [request, body] : cases) {
      const std::string reply = echo.reply(request);
      EXPECT_EQ(status_of(reply), 200) << request << reply;
      EXPECT_EQ(body_of(reply), body) << request;
    }
  });
}

TEST(Vectors, AHeadThatIsNotLegalReachesNone) {
  stranger::in_fiber([] {
    Echo echo;
    const std::string host = "Host: a\r\n", end(kEnd);
    const std::pair<std::string, int> cases[] = {
        {"GET /%zz HTTP/1.1\r\n" + host + end, 400},
        {"GET /a% HTTP/1.1\r\n" + host + end, 400},
        {"GET /a%4 HTTP/1.1\r\n" + host + end, 400},
        {"GET /v HTTP/1.1\r\nHost: a:99999\r\n" + end, 400},
        {"GET /v HTTP/1.1\r\nHost: a%zz\r\n" + end, 400},
        {"\r\n\r\nGET /v HTTP/1.1\r\n" + host + end, 400},
        {"POST /v HTTP/1.1\r\n" + host + "Transfer-Encoding: ,chunked\r\n" + end + "0\r\n\r\n", 400},
        {"GET /v HTTP/2.0\r\n" + host + end, 505},
        {"BREW /v HTTP/1.1\r\n" + host + end, 501}};
    for (const auto& [request, status] : cases) {
      EXPECT_EQ(status_of(echo.reply(request)), status) << request;
    }
    EXPECT_EQ(echo.handled(), 0);
  });
}

TEST(Vectors, AMethodOfTheProgramsOwnIsRouted) {
  stranger::in_fiber([] {
    const weft::http::Method brew = weft::http::register_method("BREW");
    weft::http::Server server;
    server.route(brew, "/pots/:id", [](const Request& request, Response& response) {
      response.text(std::string(weft::http::to_string(request.method())) + " " +
                    request.parameter("id").value() + " " + request.read_all().value());
    });
    // An HTTP request with the name of a method of RTSP.
    server.route(weft::http::register_method("PLAY"), "/pots/:id",
                 [](const Request&, Response& response) { response.text("played"); });
    server.get("/pots", [](const Request&, Response& response) { response.text("all"); });
    const auto address = server.start("127.0.0.1:0").value();
    const std::string end = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    EXPECT_EQ(body_of(reply_to(address, "BREW /pots/7" + end + "Content-Length: 4\r\n\r\nmilk")),
              "BREW 7 milk");
    EXPECT_EQ(body_of(reply_to(address, "PLAY /pots/7" + end + "\r\n")), "played");
    const std::string refused = reply_to(address, "BREW /pots" + end + "\r\n");
    EXPECT_EQ(status_of(refused), 405);
    EXPECT_TRUE(has_line(refused, "Allow: GET, HEAD, OPTIONS")) << refused;
    const std::string wrong = reply_to(address, "GET /pots/7" + end + "\r\n");
    EXPECT_EQ(status_of(wrong), 405);
    EXPECT_TRUE(has_line(wrong, "Allow: OPTIONS, BREW, PLAY")) << wrong;
    EXPECT_EQ(status_of(reply_to(address, "BREWS /pots/7" + end + "\r\n")), 501);
    // Several on one connection, each with another method, cut where they like.
    stranger::RawClient client(address);
    for (const char c :
         "BREW /pots/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /pots HTTP/1.1\r\nHost: a\r\n\r\n"
         "PLAY /pots/2 HTTP/1.1\r\nHost: a\r\n\r\nBREW /pots/3 HTTP/1.1\r\nHost: a\r\n"
         "Connection: close\r\n\r\n") {
      if (c != '\0') client.send({&c, 1});
    }
    const std::string replies = client.read_to_end();
    EXPECT_EQ(stranger::count_of(replies, "HTTP/1.1 200 OK"), 4u) << replies;
    for (const char* body : {"BREW 1 ", "all", "played", "BREW 3 "}) {
      EXPECT_EQ(stranger::count_of(replies, "\r\n\r\n" + std::string(body)), 1u) << body;
    }
  });
}

}  // namespace
