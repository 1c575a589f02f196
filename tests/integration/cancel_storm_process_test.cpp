// SPDX-License-Identifier: Apache-2.0
// A cancel storm over processes: a program that starts some, exchanges bytes with them and waits for them is
// cancelled at its k-th step, for every k until it gets through. Whatever the moment: it ends, no process and
// no descriptor is left.
#include "base/atomic.hpp"
#include "support/any_context.hpp"
#include "support/processes.hpp"
#include "sys/fault.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/task_group.hpp>

#include <gtest/gtest.h>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using sys::Call;

/// The system calls that are steps: the scope ends while one of them is made.
constexpr Call kSteps[] = {Call::pipe,         Call::clone, Call::read,          Call::write,
                           Call::wait_process, Call::close, Call::signal_process};

class StormOfProcesses {
 public:
  StormOfProcesses(CancelScope& scope, int ending_step) : scope_(scope), left_(ending_step) {
    for (const Call call : kSteps)
      steps_.run(call, [this](int) { step(); }, {.times = sys::FaultRange::kAlways});
  }

  /// False: it was cancelled.
  bool run() {
    TaskGroup<void> group;
    group.spawn([this] { return collect(); });
    group.spawn([this] { return wait_for_end(); });
    group.spawn([this] { return talk(); });
    return group.wait().has_value();
  }

  bool ended() const { return left_.load() < 0; }

 private:
  void step() {
    if (left_.fetch_sub(1) == 0) scope_.cancel();
  }

  Result<void> collect() {
    const auto output = shell("cat; echo end >&2").output({.input = "text\n"});
    if (!output) return output.error();
    EXPECT_EQ(output->output, "text\n");
    EXPECT_EQ(output->error, "end\n");
    return {};
  }

  Result<void> wait_for_end() {
    const auto status = shell("exit 3").run();
    if (!status) return status.error();
    EXPECT_EQ(*status, ExitStatus::of_code(3));
    return {};
  }

  Result<void> talk() {
    auto child = Command("cat").standard_input(Stdio::pipe()).standard_output(Stdio::pipe()).spawn();
    if (!child) return child.error();
    if (const auto written = child->input().write_all("hello"); !written) return written.error();
    char text[5];
    if (const auto read = child->output().read_exact(text); !read) return read.error();
    EXPECT_EQ(std::string(text, 5), "hello");
    const auto status = child->stop(1h);
    if (!status) return status.error();
    return child->wait().error() ? Result<void>(child->wait().error()) : Result<void>();
  }

  CancelScope& scope_;
  Atomic<int> left_;
  sys::FaultPlan steps_;
};

class CancelStormProcessTest : public InAnyContext {};
INSTANTIATE_TEST_SUITE_P(Contexts, CancelStormProcessTest,
                         testing::Values(AnyContextKind::kConcurrent, AnyContextKind::kParallel2,
                                         ContextCase(AnyContextKind::kParallel2,
                                                     EventLoopStrategy::process())),
                         kind_name);

TEST_P(CancelStormProcessTest, AtEachStep) {
  run([] {
    warm_up();
    const std::size_t before = open_descriptors();
    constexpr int kStepsMax = 400;
    int k = 0;
    for (bool ended = true; ended && k < kStepsMax; ++k) {
      CancelScope scope;
      StormOfProcesses storm(scope, k);
      const bool got_through = storm.run();
      ended = storm.ended();
      EXPECT_TRUE(got_through || ended) << k;
      ASSERT_TRUE(none_is_left_open(before)) << k;
      ASSERT_FALSE(has_children()) << k;
    }
    EXPECT_LT(k, kStepsMax);
    EXPECT_GT(k, 20);  // the steps were counted
    warm_up();
  });
}

}  // namespace
}  // namespace weft::test
