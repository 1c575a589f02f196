// SPDX-License-Identifier: Apache-2.0
// Processes by 32 fibers of a parallel context, for WEFT_STRESS_SECONDS, or until WEFT_STRESS_PROCESSES have
// been started: programs that end at once, that answer, that are stopped, killed, cancelled or left to a
// destructor, and that are not there. Every answer and status is checked; in the end no process, descriptor
// or fiber is left.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "support/processes.hpp"
#include "support/stress.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/dump.hpp>
#include <weft/execution_context.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kFibers = 32;

class Storm {
 public:
  Storm() : end_(Clock::now() + plan_.length) {}

  void one_fiber(std::uint32_t number) {
    Random random(plan_.seed + number);
    while (goes_on()) {
      switch (random() % 8) {
        case 0: answer(random); break;
        case 1: stop(); break;
        case 2: time_out(random); break;
        case 3: miss(); break;
        case 4: leave(); break;
        default: run(random); break;
      }
      watchdog_.progress.fetch_add(1);
    }
  }

  std::uint64_t started() const { return started_.load(relaxed); }

 private:
  bool goes_on() const { return most_ != 0 ? started() < most_ : Clock::now() < end_; }
  void count() { started_.fetch_add(1, relaxed); }

  void run(Random& random) {
    count();
    const int code = static_cast<int>(random() % 2);
    EXPECT_EQ(Command(code == 0 ? "/bin/true" : "/bin/false").run().value(), ExitStatus::of_code(code));
  }
  void answer(Random& random) {
    count();
    const std::string input = file_pattern(random() % 100'000);
    EXPECT_TRUE(Command("/bin/cat").output({.input = input}).value().output == input);
  }
  void stop() {
    count();
    EXPECT_EQ(Command("/bin/sleep", {"1000"}).spawn().value().stop(1h).value(),
              ExitStatus::of_signal(SIGTERM));
  }
  // It may be ended before it has begun.
  void time_out(Random& random) {
    count();
    const auto time = std::chrono::microseconds(random() % 2000);
    const auto output = Command("/bin/sleep", {"1000"}).grace(1ms).output({.deadline = time});
    EXPECT_EQ(output.error(), Errc::timed_out);
  }
  void miss() { EXPECT_EQ(Command("/bin/missing").run().error(), std::errc::no_such_file_or_directory); }
  void leave() {
    count();
    const Child child = Command("/bin/cat").standard_input(Stdio::pipe()).grace(0ns).spawn().value();
    EXPECT_GT(child.id(), 0);
  }

  StressPlan plan_;
  Watchdog watchdog_;
  const std::uint64_t most_ = number_of_environment("WEFT_STRESS_PROCESSES", 0);
  const Clock::time_point end_;
  Atomic<std::uint64_t> started_{0};
};

/// In a context of its own, which has ended when it returns.
void in_context(const std::function<void(ExecutionContext&)>& body) {
  ParallelContext context("processes", {.parallelism = 2});
  body(context);
}

TEST(ProcessStress, NothingIsLeft) {
  in_context([](ExecutionContext& context) { context.spawn([] { warm_up(); }).join_uncancellable(); });
  const std::size_t descriptors = open_descriptors();
  Storm storm;
  const Clock::time_point begin = Clock::now();
  in_context([&](ExecutionContext& context) {
    std::vector<JoinHandle<void>> running;
    for (std::uint32_t i = 0; i < kFibers; ++i)
      running.push_back(context.spawn([&storm, i] { storm.one_fiber(i); }));
    for (auto& fiber : running) fiber.join_uncancellable();
  });
  const std::chrono::duration<double> time = Clock::now() - begin;
  std::printf("%llu processes in %.2f s: %.0f us for each\n",
              static_cast<unsigned long long>(storm.started()), time.count(),
              time.count() * 1e6 / static_cast<double>(storm.started()));
  EXPECT_TRUE(none_is_left_open(descriptors));
  EXPECT_NE(dump_to_string().find("weft: 0 fibers in all"), std::string::npos) << dump_to_string();
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace weft::test
