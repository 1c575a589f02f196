// SPDX-License-Identifier: Apache-2.0
// A cap on connections.
//
// What was wrong: there was none, and the first that nobody could be accepted for was the one that the
// process had no descriptor for, which other things of the program needed, too.
#include "raw_client.hpp"

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::body_of;
using stranger::get;
using stranger::RawClient;
using weft::http::Limits;
using weft::http::Request;
using weft::http::Response;

/// Calls `use` with a server of at most `connections` at a time, and its address.
template <class Use>
void with_cap(std::size_t connections, Use&& use) {
  stranger::in_fiber([&] {
    weft::http::Server server(Limits{.connections_max = connections});
    server.get("/", [](const Request&, Response& response) { response.text("served"); });
    const weft::net::SocketAddress address = server.start("127.0.0.1:0").value();
    use(server, address);
  });
}

TEST(ConnectionsMax, ThoseBeyondItWaitUntilOneEnds) {
  with_cap(2, [](weft::http::Server& server, const weft::net::SocketAddress& address) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) clients.emplace_back(address).send(get("/", "keep-alive"));
    for (int i : {0, 1}) EXPECT_TRUE(clients[static_cast<std::size_t>(i)].stream().wait_readable());
    EXPECT_EQ(clients[2].stream().wait_readable(weft::Deadline::after(30ms)).error(), weft::Errc::timed_out);
    EXPECT_EQ(server.counters().connections, 2u);
    EXPECT_TRUE(clients[0].stream().close());
    EXPECT_TRUE(clients[2].stream().wait_readable());
    EXPECT_TRUE(clients[1].stream().close());
    EXPECT_TRUE(clients[3].stream().wait_readable());
    EXPECT_EQ(server.counters().connections, 4u);
  });
}

TEST(ConnectionsMax, AServerAtItsCapStops) {
  with_cap(1, [](weft::http::Server& server, const weft::net::SocketAddress& address) {
    RawClient first(address);
    first.send(get("/", "keep-alive"));
    EXPECT_TRUE(first.stream().wait_readable());
    RawClient second(address);
    server.stop(weft::Deadline::after(1h));
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(server.counters().open_connections, 0u);
  });
}

TEST(ConnectionsMax, EachPlaceIsUsedAgain) {
  with_cap(1, [](weft::http::Server&, const weft::net::SocketAddress& address) {
    for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "served");
  });
}

}  // namespace
