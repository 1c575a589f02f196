// SPDX-License-Identifier: Apache-2.0
// The public API in a simulated world.
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "support/sim_context.hpp"

#include <array>
#include <set>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

void echo(net::TcpStream stream) {
  std::array<std::byte, 64> buffer;
  while (const auto size = stream.read_some(buffer)) {
    if (!stream.write_all(std::span(buffer).first(*size))) break;
  }
}

/// Sends a thousand bytes through the echo server and counts what comes back.
std::size_t ask(const net::SocketAddress& address) {
  auto stream = net::TcpStream::connect(address).value();
  const std::vector<std::byte> data(1000);
  auto writer = spawn([&] {
    EXPECT_TRUE(stream.write_all(data));
    EXPECT_TRUE(stream.shutdown(net::ShutdownMode::kWrite));
  });
  std::size_t total = 0;
  std::array<std::byte, 256> buffer;
  while (const auto size = stream.read_some(buffer)) total += *size;
  writer.join_uncancellable();
  return total;
}

std::uint64_t run_echo(std::uint64_t seed) {
  test::SimContext world("world", SimOptions::rough(seed));
  return world
      .spawn([&world] {
        auto listener = net::TcpListener::bind("127.0.0.1:7000").value();
        auto server = spawn([&] {
          while (auto stream = listener.accept()) {
            spawn([stream = std::move(*stream)]() mutable { echo(std::move(stream)); });
          }
        });
        std::vector<JoinHandle<std::size_t>> clients;
        for (int i = 0; i < 10; ++i)
          clients.push_back(spawn([&] { return ask(listener.local_address().value()); }));
        for (auto& client : clients) EXPECT_EQ(client.join_uncancellable(), 1000u);
        EXPECT_TRUE(listener.close());
        server.join_uncancellable();
        return world.loop().fingerprint();
      })
      .join_uncancellable();
}

TEST(SimContext, SleepingForAnHourTakesNoTime) {
  test::SimContext world("world");
  const std::int64_t slept_ns = world
                                    .spawn([] {
                                      const std::int64_t start = now_ns();
                                      EXPECT_TRUE(sleep(1h));
                                      return now_ns() - start;
                                    })
                                    .join_uncancellable();
  EXPECT_EQ(slept_ns, 3600ll * 1'000'000'000);
}

TEST(SimContext, TheFirstFiberAlreadyHasTheVirtualClock) {
  test::SimContext world("world");
  EXPECT_EQ(world.spawn([] { return now_ns(); }).join_uncancellable(), SimOptions{}.start_ns);
}

TEST(SimContext, TheSameSeedGivesTheSameRunOfTheWholeRuntime) {
  std::set<std::uint64_t> fingerprints;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const std::uint64_t fingerprint = run_echo(seed);
    EXPECT_EQ(run_echo(seed), fingerprint) << "seed " << seed;
    fingerprints.insert(fingerprint);
  }
  EXPECT_EQ(fingerprints.size(), 10u);
}

// L12 in virtual time, where no time passes while fibers run.
TEST(SimContext, AYieldingFiberDoesNotKeepOthersFromTheirEvents) {
  test::SimContext world("world");
  auto root = world.spawn([] {
    auto listener = net::TcpListener::bind("127.0.0.1:7000").value();
    bool done = false;
    auto server = spawn([&] { echo(listener.accept().value()); });
    auto client = spawn([&] { done = ask(listener.local_address().value()) == 1000; });
    int yields = 0;
    for (; !done && yields < 100'000; ++yields) yield();
    client.join_uncancellable();
    server.join_uncancellable();
    return yields;
  });
  EXPECT_LT(root.join_uncancellable(), 10'000);
}

}  // namespace
}  // namespace weft
