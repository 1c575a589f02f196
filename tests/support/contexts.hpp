// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a test under every kind of execution context, and audits what it leaves behind.
//
//   class Something : public weft::test::EveryContext {};
//   WEFT_UNDER_EVERY_CONTEXT(Something);
//   TEST_P(Something, DoesThis) { context().spawn(...); }

#include "base/sanitizers.hpp"
#include "execution_context/context.hpp"

#include <weft/execution_context.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <future>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft::test {

/// How long a test waits for what must come, before it counts as failed.
inline constexpr std::chrono::seconds kPatience{60};

inline std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// Closes a context and waits for its last fiber: every one that was started has ended.
inline void expect_no_fiber_lost(ExecutionContext& context) {
  detail::Access::core(context).close();
  detail::Access::core(context).wait_until_drained();
  EXPECT_EQ(context.counters().fibers_spawned, context.counters().fibers_finished);
}

struct ContextKind {
  const char* name;
  std::uint32_t parallelism;  ///< 0: a concurrent context
  EventLoopStrategy strategy = {};
};

inline void PrintTo(const ContextKind& kind, std::ostream* out) { *out << kind.name; }

class EveryContext : public testing::TestWithParam<ContextKind> {
 protected:
  void SetUp() override {
    files_ = open_files();
    if (GetParam().parallelism == 0) {
      concurrent_.emplace("concurrent", ConcurrentOptions{.strategy = GetParam().strategy});
    } else {
      parallel_.emplace("parallel", ParallelOptions{.parallelism = GetParam().parallelism,
                                                    .strategy = GetParam().strategy});
    }
  }

  void TearDown() override {
    if (concurrent_ || parallel_) expect_no_fiber_lost(context());
    end();
    // The monitor may be reading the program's symbols for a report, now or when the files were counted, and
    // closes what it has opened.
    const auto patience = std::chrono::steady_clock::now() + kPatience;
    std::size_t files = open_files();
    for (; files > files_ && std::chrono::steady_clock::now() < patience; files = open_files())
      std::this_thread::yield();
    EXPECT_LE(files, files_);
  }

  ExecutionContext& context() {
    if (concurrent_) return *concurrent_;
    return *parallel_;
  }

  /// Destroys the context.
  void end() {
    concurrent_.reset();
    parallel_.reset();
  }

  bool parallel() const { return GetParam().parallelism > 1; }

 private:
  std::size_t files_ = 0;
  std::optional<ConcurrentContext> concurrent_;
  std::optional<ParallelContext> parallel_;
};

inline std::string context_kind_name(const testing::TestParamInfo<ContextKind>& info) {
  return info.param.name;
}

/// Registration does not matter where nothing is read: each placement once or twice.
inline std::vector<ContextKind> every_context() {
  std::vector<ContextKind> kinds{{"Concurrent", 0},
                                 {"Parallel1", 1},
                                 {"Parallel2", 2},
                                 {"Parallel4", 4},
                                 {"Parallel2Process", 2, EventLoopStrategy::process()},
                                 {"Parallel2Dedicated", 2, EventLoopStrategy::dedicated()},
                                 {"Parallel2LifetimeThread", 2, EventLoopStrategy::lifetime_thread()}};
  if (!WEFT_ASAN && !WEFT_TSAN) {
    kinds.push_back({"ConcurrentProcess", 0, EventLoopStrategy::process()});
    kinds.push_back({"ConcurrentDedicated", 0, EventLoopStrategy::dedicated()});
  }
  return kinds;
}

#define WEFT_UNDER_EVERY_CONTEXT(suite)                                             \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(weft::test::every_context()), \
                           weft::test::context_kind_name)

/// A flag that one sets and others wait for, in fibers by yielding and on plain threads by blocking.
class Flag {
 public:
  void set() {
    flag_.store(true, seq_cst);
    promise_.set_value();
  }
  bool is_set() const { return flag_.load(seq_cst); }
  /// On a plain thread. False: it did not come in time.
  [[nodiscard]] bool wait() { return future_.wait_for(kPatience) == std::future_status::ready; }

 private:
  Atomic<bool> flag_{false};
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

}  // namespace weft::test
