// SPDX-License-Identifier: Apache-2.0
// A handler knows who has connected.
#include "raw_client.hpp"

#include <string>

namespace {

using weft::http::Request;
using weft::http::Response;

TEST(PeerAddress, IsTheClientsOwn) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [](const Request& request, Response& response) {
      response.text(request.peer_address().value().to_string());
    });
    const auto address = server.start("127.0.0.1:0").value();
    stranger::RawClient client(address);
    const std::string own = client.stream().local_address().value().to_string();
    client.send(stranger::get("/"));
    EXPECT_EQ(stranger::body_of(client.read_to_end()), own);
  });
}

// What was wrong: the connection was closed without a word. The message names the route and the reason.
TEST(UnsentResponse, IsSaidWithMethodRouteAndReason) {
  stranger::in_fiber([] {
    weft::http::Limits limits;
    limits.write_timeout = std::chrono::milliseconds(20);
    weft::http::Server server(limits);
    server.get("/files/:name", [](const Request&, Response& response) {
      response.text(std::string(30'000'000, 'b'));  // more than the client and the kernel take
    });
    const auto address = server.start("127.0.0.1:0").value();
    testing::internal::CaptureStderr();
    stranger::RawClient client(address);
    client.send(stranger::get("/files/large"));
    while (server.counters().open_connections != 0 || server.counters().connections == 0) weft::yield();
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("the response to GET /files/:name was not sent, or not to its end: "), said.npos);
    EXPECT_NE(said.find("(path /files/large)"), said.npos) << said;
    EXPECT_NE(said.find(make_error_code(weft::Errc::timed_out).message()), said.npos) << said;
  });
}

}  // namespace
