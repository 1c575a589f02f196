// SPDX-License-Identifier: Apache-2.0
// How often a server polls, beside a loop of no framework under the same load. At full speed that is a matter
// of speed: whoever serves faster finds less in each poll. So here the load and the servers share a CPU, and
// the load goes first: each poll finds what the load can have asked, however fast anybody is.
#include "http/bare_server.hpp"
#include "http/wrk_load.hpp"

#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <sched.h>

namespace weft::http::test {
namespace {

constexpr int kTimes = 100;  // that each connection asks

/// The calling thread, and those it starts, run only while nobody else wants their CPU.
void give_way() {
  const sched_param none{};
  ASSERT_EQ(::sched_setscheduler(0, SCHED_IDLE, &none), 0);
}

std::uint64_t polls_under_load(const auto& polls, Load& load) {
  const std::uint64_t before = polls();
  load.ask(kTimes);
  EXPECT_TRUE(load.good());
  return polls() - before;
}

double polls_to_those_of_bare(bool batch_responses) {
  const OnCpu only_cpu(0);
  ConcurrentContext serving("serve");
  std::optional<BareServer> bare;
  Server server;
  server.get("/hello", [](const Request&, Response& response) { response.text(kBody); });
  auto started = serving.spawn([&] {
    give_way();
    bare.emplace(kRequest.size());
    return server.start("127.0.0.1:0", {.batch_responses = batch_responses}).value();
  });
  Load load(started.join_uncancellable().port());
  Load load_of_bare(bare->port());
  const auto polls = [&] { return serving.event_loop_counters().polls; };
  const auto polls_of_bare = [&] { return bare->polls(); };
  const double ratio = static_cast<double>(polls_under_load(polls, load)) /
                       static_cast<double>(polls_under_load(polls_of_bare, load_of_bare));
  auto drained = serving.spawn([&] {
    server.stop();
    return server.wait();
  });
  EXPECT_TRUE(drained.join_uncancellable());
  return ratio;
}

TEST(RequestPolls, AreNoMoreThanThoseOfALoopOfNoFramework) { EXPECT_LE(polls_to_those_of_bare(true), 1.1); }

TEST(RequestPolls, AreNoMoreThanThoseOfALoopOfNoFrameworkWithoutBatches) {
  EXPECT_LE(polls_to_those_of_bare(false), 1.1);
}

}  // namespace
}  // namespace weft::http::test
