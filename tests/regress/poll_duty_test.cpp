// SPDX-License-Identifier: Apache-2.0
// Somebody polls while others are idle, however busy the fibers of a poll are (ID4, S11). In a context that
// the monitor does not look at, so that nobody comes to help after 10 ms: a duty that is left lying is a
// hang.
#include "base/clock.hpp"
#include "execution_context/context.hpp"

#include <weft/join_handle.hpp>
#include <weft/this_fiber.hpp>

#include <future>
#include <optional>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::chrono::seconds kLongEnough{20};

class PollDutyTest : public testing::Test {
 protected:
  template <class F>
  auto spawn_here(F&& closure) {
    return detail::spawn_in(*context_, std::forward<F>(closure), {}, SourceLocation::current());
  }

  /// `busy` fibers that keep their threads, from 2 ms on, until another one has run that is due 1 ms later.
  /// False: nobody ran it.
  bool burst(int busy) {
    const std::int64_t start_ns = monotonic_ns() + 2 * kMs;
    std::promise<void> ran;
    const std::shared_future<void> future = ran.get_future().share();
    std::vector<JoinHandle<bool>> fibers;
    for (int i = 0; i < busy; ++i) {
      fibers.push_back(spawn_here([start_ns, future] {
        EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns)));
        return future.wait_for(kLongEnough) == std::future_status::ready;
      }));
    }
    spawn_here([start_ns, &ran] {
      EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns + kMs)));
      ran.set_value();
    }).join_uncancellable();
    bool all = true;
    for (auto& fiber : fibers) all = fiber.join_uncancellable() && all;
    return all;
  }

  void make_context() {
    context_.emplace(ContextOptions{.name = "unwatched", .parallelism = 8, .isolated = true});
  }

  std::optional<Context> context_;
};

// What was wrong: the last thread that searched, and found a fiber of the burst, looked for more of them, but
// not whether anybody polled.
TEST_F(PollDutyTest, S11_SomebodyPollsWhileABurstKeepsSomeThreads) {
  for (int round = 0; round < 20; ++round) {
    make_context();  // which has learnt nothing yet: two fibers are worth a sibling
    ASSERT_TRUE(burst(3));
  }
}

// What was wrong: a poller kept its duty for whatever a single fiber of its poll took.
TEST_F(PollDutyTest, AFiberThatIsKnownToRunLongDoesNotKeepItsPollersDuty) {
  make_context();
  for (int round = 0; round < 20; ++round) {
    std::promise<void> ran;
    std::future<void> future = ran.get_future();
    auto slow = spawn_here([&] {
      for (int run = 0; run < 2; ++run) {
        EXPECT_TRUE(sleep_until(Deadline::at_ns(monotonic_ns() + kMs)));
        for (const std::int64_t end_ns = monotonic_ns() + 2 * kMs; monotonic_ns() < end_ns;) cpu_relax();
      }
      const std::int64_t start_ns = monotonic_ns() + kMs;  // known from here on
      detail::spawn_in(
          *context_,
          [&ran, start_ns] {
            EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns + kMs)));
            ran.set_value();
          },
          {}, SourceLocation::current())
          .detach();
      EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns)));
      return future.wait_for(kLongEnough) == std::future_status::ready;
    });
    ASSERT_TRUE(slow.join_uncancellable());
  }
}

}  // namespace
}  // namespace weft
