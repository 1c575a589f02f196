// SPDX-License-Identifier: Apache-2.0
// Processes under every strategy, in a simulated world, and beside the search for deadlocks.
#include "support/processes.hpp"
#include "execution_context/diagnostics/deadlock_check.hpp"
#include "support/any_context.hpp"

#include <weft/channel.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

namespace weft::test {
namespace {

class Processes : public InAnyContext {};
INSTANTIATE_TEST_SUITE_P(Contexts, Processes, kernel_contexts(), kind_name);

TEST_P(Processes, EndAndAreReaped) {
  run([] {
    warm_up();
    const std::size_t before = open_descriptors();
    TaskGroup<int> group;
    for (int i = 0; i < 10; ++i) {
      group.spawn([i]() -> Result<int> {
        const Result<ExitStatus> status = shell("exit " + std::to_string(i)).run();
        if (!status) return status.failure();
        return status->code().value_or(-1);
      });
    }
    EXPECT_EQ(group.wait().value(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_TRUE(none_is_left_open(before));
    EXPECT_FALSE(has_children());
  });
}

TEST_P(Processes, ReadAndWrite) {
  run([] {
    const std::string input = file_pattern(300'000);
    const auto output = Command("cat").output({.input = input});
    ASSERT_TRUE(output) << output.message();
    EXPECT_TRUE(output->output == input);
  });
}

TEST_P(Processes, AreWaitedForInAContextOfEveryStrategy) {
  run([] {
    for (const EventLoopStrategy& strategy : EventLoopStrategy::named()) {
      ConcurrentContext there("there", {.strategy = strategy});
      Child child = shell("read line; exit 3").standard_input(Stdio::pipe()).spawn().value();
      io::PipeWriter input = std::move(child.input());
      auto one = there.spawn([&] { return child.wait(); });
      auto other = spawn([&] { return child.wait(); });
      yield();
      EXPECT_TRUE(input.close());
      EXPECT_EQ(one.join_uncancellable().value(), ExitStatus::of_code(3));
      EXPECT_EQ(other.join_uncancellable().value(), ExitStatus::of_code(3));
    }
  });
}

TEST_P(Processes, AreKilledIfTheyDoNotComply) {
  run([] {
    Child child = shell("trap '' TERM; echo; cat")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .spawn()
                      .value();
    const io::PipeWriter input = std::move(child.input());
    char line[1];
    EXPECT_EQ(child.output().read_some(line).value(), 1u);
    EXPECT_EQ(child.stop(std::chrono::milliseconds(1)).value(), ExitStatus::of_signal(SIGKILL));
    EXPECT_FALSE(has_children());
  });
}

TEST(ProcessWorlds, InASimulatedOneThereAreNoPrograms) {
  AnyContext context(AnyContextKind::kSimulated);
  context
      .spawn([] {
        const Result<Child> child = Command("/bin/true").spawn();
        EXPECT_EQ(child.error(), Errc::unsupported);
        EXPECT_EQ(child.message().find("in a simulated world, starting /bin/true"), 0u) << child.message();
        EXPECT_EQ(Command("/bin/true").run().error(), Errc::unsupported);
        EXPECT_EQ(Command("/bin/true").output().error(), Errc::unsupported);
      })
      .join_uncancellable();
}

TEST(ProcessWorlds, AProcessOfTheKernelIsEndedInASimulatedOneToo) {
  AnyContext real(AnyContextKind::kConcurrent);
  AnyContext simulated(AnyContextKind::kSimulated);
  Child child, stubborn;
  io::PipeWriter input;
  real.spawn([&] {
        child = Command("sleep", {"1000"}).spawn().value();
        Command command = shell("trap '' TERM; echo; cat");
        command.standard_input(Stdio::pipe()).standard_output(Stdio::pipe());
        stubborn = command.grace(std::chrono::milliseconds(1)).spawn().value();
        input = std::move(stubborn.input());
        char line[1];
        EXPECT_EQ(stubborn.output().read_some(line).value(), 1u);
      })
      .join_uncancellable();
  simulated
      .spawn([&] {
        child = Child();
        // Its time stands still, the grace does not.
        EXPECT_EQ(stubborn.wait(std::chrono::milliseconds(1)).error(), Errc::timed_out);
        EXPECT_EQ(stubborn.stop().value(), ExitStatus::of_signal(SIGKILL));
      })
      .join_uncancellable();
  EXPECT_FALSE(has_children());
}

TEST(ProcessWaits, AreNoDeadlock) {
  ConcurrentContext context("waits");
  Child child;
  io::PipeWriter input;
  Channel<int> result;
  context
      .spawn([&] {
        child = Command("cat").standard_input(Stdio::pipe()).spawn().value();
        input = std::move(child.input());
      })
      .join_uncancellable();
  auto waits = context.spawn([&] { return child.wait(); });
  auto behind = context.spawn([&] { return result.receive(); });
  context.spawn([] {}).join_uncancellable();  // by now both wait
  EXPECT_NE(DeadlockCheck().ask(true), DeadlockCheck::Answer::kDeadlocked);
  context.spawn([&] { input = {}; }).join_uncancellable();
  EXPECT_TRUE(waits.join_uncancellable().value().success());
  result.close();
  EXPECT_FALSE(behind.join_uncancellable());
}

}  // namespace
}  // namespace weft::test
