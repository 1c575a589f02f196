// SPDX-License-Identifier: Apache-2.0
// A handler that waits for the end of its own server waits for itself. The message named neither.
#include "raw_client.hpp"

namespace {

using stranger::get;
using weft::http::Request;
using weft::http::Response;

TEST(WaitInHandlerDeathTest, IsABugThatSaysSo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::http::Server server;
                 server.get("/quit", [&](const Request&, Response& response) {
                   server.stop();
                   (void)server.wait();
                   response.text("never");
                 });
                 const auto address = server.start("127.0.0.1:0").value();
                 (void)stranger::reply_to(address, get("/quit"));
               }),
               "BUG: http::Server::wait\\(\\) in a handler of the same server waits for itself");
}

// It hung as long as nobody stopped the server.
TEST(WaitInHandlerDeathTest, IsABugAlsoWhileTheServerServes) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::http::Server server;
                 server.get("/quit", [&](const Request&, Response&) { (void)server.wait(); });
                 const auto address = server.start("127.0.0.1:0").value();
                 (void)stranger::reply_to(address, get("/quit"));
               }),
               "BUG: http::Server::wait\\(\\) in a handler of the same server waits for itself");
}

TEST(WaitInHandler, OfAnotherServerIsNone) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [&](const Request&, Response& response) {
      weft::http::Server other;
      (void)other.start("127.0.0.1:0");
      other.stop();
      response.text(other.wait() ? "waited" : "not");
    });
    const auto address = server.start("127.0.0.1:0").value();
    EXPECT_EQ(stranger::body_of(stranger::reply_to(address, get("/"))), "waited");
  });
}

}  // namespace
