// SPDX-License-Identifier: Apache-2.0
// The snippets of docs/guide/groups.md.
#include <weft/all.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/race.hpp>
#include <weft/scoped_value.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>
#include <weft/with_timeout.hpp>

#include <gtest/gtest.h>

#include "support/sim_context.hpp"
#include "support/tcp.hpp"

#include <string>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

template <class Body>
void in_virtual_time(Body body) {
  test::SimContext world("world");
  world.spawn(body).join_uncancellable();
}

int count_lines(int shard) { return 10 * shard; }

Result<std::string> fetch(std::string name) {
  if (auto slept = sleep(name == "slow" ? 10s : 1ms); !slept) return slept.error();
  return name;
}

TEST(GroupsGuide, ResultsInTheOrderOfSpawning) {
  in_virtual_time([] {
    weft::TaskGroup<int> group;
    for (int shard = 0; shard < 4; ++shard) {
      group.spawn([shard] { return count_lines(shard); });  // each returns int or Result<int>
    }
    weft::Result<std::vector<int>> counts = group.wait();  // in the order of spawning
    EXPECT_EQ(counts.value(), (std::vector<int>{0, 10, 20, 30}));
  });
}

TEST(GroupsGuide, ResultsInTheOrderOfCompletion) {
  in_virtual_time([] {
    std::string shown;
    const auto show = [&](const std::string& page) { shown += page + " "; };
    weft::TaskGroup<std::string> pages;
    pages.spawn([] { return fetch("slow"); });
    pages.spawn([] { return fetch("fast"); });
    while (auto page = pages.next()) show(page->value());
    EXPECT_EQ(shown, "fast slow ");
  });
}

void echo(net::TcpStream& stream) {
  while (auto text = test::read_text(stream)) {
    if (!stream.write_all(test::bytes(*text))) break;
  }
}

TEST(GroupsGuide, AServersConnections) {
  in_virtual_time([] {
    auto listener = net::TcpListener::bind("127.0.0.1:7000").value();
    auto server = spawn([&] {
      CancelScope scope(Deadline::after(1h));
      weft::TaskGroup<void> connections;
      while (auto stream = listener.accept()) {
        connections.spawn([stream = std::move(*stream)]() mutable { echo(stream); });
      }
    });
    auto client = net::TcpStream::connect(listener.local_address().value()).value();
    EXPECT_TRUE(client.write_all(test::bytes("hello")));
    EXPECT_EQ(test::read_text(client).value(), "hello");
    EXPECT_EQ(test::read_text(client).error(), Errc::end_of_file) << "the server ended after an hour";
    server.join_uncancellable();
  });
}

TEST(GroupsGuide, SmallOnes) {
  in_virtual_time([] {
    auto both = weft::all([] { return fetch("a"); }, [] { return 42; });  // a tuple, or the first failure
    auto first = weft::race([] { return fetch("slow"); }, [] { return fetch("fast"); });
    auto soon = weft::with_timeout(1s, [] { return fetch("slow"); });
    EXPECT_EQ(std::get<0>(both.value()), "a");
    EXPECT_EQ(std::get<1>(both.value()), 42);
    EXPECT_EQ(first.value(), "fast");
    EXPECT_EQ(soon.error(), Errc::timed_out);
  });
}

const weft::ScopedValue<std::string> request_id;  // at namespace scope

std::string logged;
void log(const std::string& text) { logged = text; }

void handle() {
  weft::ScopedBinding bound(request_id, "r-17");
  weft::TaskGroup<void> group;
  group.spawn([] { log(*request_id.get()); });  // "r-17", in whatever context
  group.wait().value();
}

TEST(GroupsGuide, ValuesForABlock) {
  in_virtual_time([] { handle(); });
  EXPECT_EQ(logged, "r-17");
}

}  // namespace
}  // namespace weft
