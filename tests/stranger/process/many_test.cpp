// SPDX-License-Identifier: Apache-2.0
// Many processes, one after the other and at the same time: nothing is left of them.
#include "stranger/process/process.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <filesystem>
#include <iterator>

namespace {

using namespace stranger;

std::size_t open_descriptors() {
  using Iterator = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Iterator("/proc/self/fd"), Iterator()));
}

/// Whether no more are open than before. A report of the library's own opens files for a moment.
bool none_is_left_open(std::size_t before) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (open_descriptors() > before) {
    if (std::chrono::steady_clock::now() > end) return false;
    weft::yield();
  }
  return true;
}

TEST(Many, OneAfterTheOther) {
  in_fiber([] {
    EXPECT_TRUE(Command("/bin/true").run().value().success());
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 300; ++i)
      ASSERT_EQ(shell("exit " + std::to_string(i % 256)).output().value().status,
                ExitStatus::of_code(i % 256));
    EXPECT_TRUE(none_is_left_open(before));
    EXPECT_FALSE(has_children());
  });
}

TEST(Many, TwoHundredAtTheSameTime) {
  for (const std::uint32_t threads : std::vector<std::uint32_t>{1, 4}) {
    in_fiber(
        [] {
          EXPECT_TRUE(Command("/bin/true").run().value().success());
          const std::size_t before = open_descriptors();
          std::vector<Child> children;
          for (int i = 0; i < 200; ++i) {
            children.push_back(Command("/bin/cat")
                                   .standard_input(Stdio::pipe())
                                   .standard_output(Stdio::pipe())
                                   .spawn()
                                   .value());
          }
          weft::TaskGroup<ExitStatus> group;
          for (Child& child : children) {
            group.spawn([&child]() -> weft::Result<ExitStatus> {
              const std::string text = "number " + std::to_string(child.id()) + "\n";
              child.input().write_all(text).value();
              EXPECT_EQ(read_until(child.output(), "\n"), text);
              return child.wait();
            });
          }
          EXPECT_EQ(group.wait().value(), std::vector<ExitStatus>(200, ExitStatus::of_code(0)));
          children.clear();
          EXPECT_TRUE(none_is_left_open(before));
          EXPECT_FALSE(has_children());
        },
        threads);
  }
}

TEST(Many, TwoHundredAreEndedTogether) {
  in_fiber(
      [] {
        EXPECT_TRUE(Command("/bin/true").run().value().success());
        const std::size_t before = open_descriptors();
        weft::TaskGroup<void> group;
        for (int i = 0; i < 200; ++i)
          group.spawn([]() -> weft::Result<void> {
            const auto output = Command("/bin/sleep", {"1000"}).output();
            return output.error();
          });
        weft::yield();
        group.cancel();
        EXPECT_EQ(group.wait().error(), weft::Errc::cancelled);
        EXPECT_TRUE(none_is_left_open(before));
        EXPECT_FALSE(has_children());
      },
      4);
}

}  // namespace
