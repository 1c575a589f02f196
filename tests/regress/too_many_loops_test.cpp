// SPDX-License-Identifier: Apache-2.0
// What was wrong: the 4,097th event loop ended the program, where the constructors of contexts and run()
// promise std::system_error.
#include "event_loop/polling/epoll_event_loop.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "support/contexts.hpp"

#include <weft/run.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

/// All names that are left for event loops, taken. None of them is a loop.
class AllNames {
 public:
  AllNames() {
    while (const LoopId id = LoopRegistry::instance().add(*loop_)) taken_.push_back(id);
  }
  ~AllNames() {
    for (const LoopId id : taken_) {
      LoopRegistry::instance().retire(id);
      LoopRegistry::instance().remove(id);
    }
  }

 private:
  std::unique_ptr<EpollEventLoop> loop_ = EpollEventLoop::create().value();
  std::vector<LoopId> taken_;
};

template <class Make>
void expect_refused(Make&& make) {
  const std::size_t files_before = test::open_files();
  try {
    make();
    ADD_FAILURE() << "no exception";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
    EXPECT_NE(std::string(error.what()).find("4096 event loops"), std::string::npos) << error.what();
  }
  EXPECT_EQ(test::open_files(), files_before);
}

TEST(TooManyLoops, EveryContextIsRefusedByAnExceptionAndNothingLeaks) {
  {
    ParallelContext spawn_context("before", {.parallelism = 1});
    const AllNames all;
    expect_refused([] { ConcurrentContext context("one too many"); });
    expect_refused([] { ParallelContext context("one too many", {.parallelism = 2}); });
    expect_refused([&] {
      IsolatedContext context("one too many", IsolatedOptions{.spawn_context = &spawn_context}, [] {});
    });
    expect_refused([] {
      ParallelContext context("lanes", {.parallelism = 2, .strategy = EventLoopStrategy::lifetime_thread()});
    });
    expect_refused([] { ConcurrentContext context("shared", {.strategy = EventLoopStrategy::process()}); });
    expect_refused([] { run([] {}); });
  }
  ConcurrentContext context("again");
  EXPECT_EQ(context.spawn([] { return 5; }).join_uncancellable(), 5);
}

}  // namespace
}  // namespace weft
