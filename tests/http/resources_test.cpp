// SPDX-License-Identifier: Apache-2.0
// Shortages, and what is left of many connections: nothing.
#include "http_client.hpp"
#include "test_server.hpp"

#include "base/sanitizers.hpp"
#include "sys/fault.hpp"
#include "sys/memory_usage.hpp"

#include <weft/this_fiber.hpp>

#include <filesystem>

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

class Resources : public HttpTest {};
WEFT_HTTP_WORLDS(Resources);

TEST_P(Resources, AServerOutOfDescriptorsServesWhenThereAreSomeAgain) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    sys::FaultPlan faults;
    faults.fail(sys::Call::accept, EMFILE, {.times = 3});
    Client client(server.address());
    EXPECT_EQ(client.get("/").status, 200);
  });
}

TEST(SimulatedResources, ConnectionsBeyondTheDescriptorsWaitForTheirTurn) {
  SimOptions options;
  options.descriptors_max = 12;
  run_simulated(options, [] {
    TestServer server;
    for (int round = 0; round < 20; ++round) {
      std::vector<std::unique_ptr<Client>> clients;
      for (int i = 0; i < 6; ++i) clients.push_back(std::make_unique<Client>(server.address()));
      while (!clients.empty()) {
        EXPECT_EQ(clients.front()->get("/").status, 200);
        clients.erase(clients.begin());
      }
    }
  });
}

void open_and_close(const net::SocketAddress& address, int count) {
  for (int i = 0; i < count; ++i) {
    Client client(address);
    ASSERT_EQ(client.get("/").status, 200);
    // No TIME_WAIT, which would use up the ports.
    ASSERT_TRUE(client.stream().set_linger(0s));
  }
}

TEST(ManyConnections, TenThousandLeaveNoFilesFibersOrMemory) {
  const std::size_t count = WEFT_ASAN || WEFT_TSAN ? 1000 : 10'000;
  ConcurrentContext context("serve");
  context
      .spawn([&] {
        TestServer server;
        const auto wait_until_closed = [&] {
          while (server.server().counters().open_connections != 0) yield();
        };
        open_and_close(server.address(), 500);
        wait_until_closed();
        // ASan keeps what was freed for a while.
        constexpr std::size_t kGrowthMax = WEFT_ASAN || WEFT_TSAN ? 300'000'000 : 500'000;
        const std::size_t files = open_files();
        const std::size_t resident = sys::resident_bytes().value();
        open_and_close(server.address(), static_cast<int>(count));
        wait_until_closed();
        EXPECT_EQ(open_files(), files);
        EXPECT_LT(sys::resident_bytes().value(), resident + kGrowthMax);
      })
      .join_uncancellable();
  const ContextCounters counters = context.counters();
  EXPECT_GT(counters.fibers_spawned, count);
}

}  // namespace
}  // namespace weft::http::test
