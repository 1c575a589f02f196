// SPDX-License-Identifier: Apache-2.0
// A status is a number to those who know it by its number, and a body is bytes of any kind.
#include "raw_client.hpp"

#include <vector>

namespace {

using stranger::body_of;
using stranger::get;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Request;
using weft::http::Response;

TEST(PlainStatus, IsANumber) {
  stranger::in_fiber([] {
    weft::http::Server server;
    for (const int status : {200, 404, 418, 599}) {
      server.get("/" + std::to_string(status),
                 [status](const Request&, Response& response) { response.status(status).text("x"); });
    }
    for (const int status : {-1, 0, 100, 600, 200 + 65536})
      server.get("/wrong/" + std::to_string(status),
                 [status](const Request&, Response& response) { response.status(status).text("x"); });
    const auto address = server.start("127.0.0.1:0").value();
    for (const int status : {200, 404, 418, 599})
      EXPECT_EQ(status_of(reply_to(address, get("/" + std::to_string(status)))), status);
    for (const int status : {-1, 0, 100, 600, 200 + 65536})
      EXPECT_EQ(status_of(reply_to(address, get("/wrong/" + std::to_string(status)))), 500) << status;
    server.stop(std::chrono::seconds(10));
    EXPECT_TRUE(server.wait());
  });
}

TEST(PlainBodies, AreReadAndWrittenAsTheyAre) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.post("/", [](const Request& request, Response& response) {
      char buffer[8];
      while (auto n = request.read_some(buffer)) {
        const std::string piece(buffer, *n);
        EXPECT_TRUE(response.write(piece));
      }
      EXPECT_TRUE(response.write("literal,"));
      EXPECT_TRUE(response.write(std::vector<char>{'v', ','}));
      EXPECT_TRUE(response.write(std::array<std::byte, 1>{std::byte{'b'}}));
    });
    const auto address = server.start("127.0.0.1:0").value();
    const std::string reply =
        reply_to(address, "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    EXPECT_EQ(body_of(reply), "0123456789literal,v,b");
  });
}

}  // namespace
