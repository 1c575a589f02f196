// SPDX-License-Identifier: Apache-2.0
// The result of a detached fiber was destroyed by the thread that ran next, on the stack of whatever fiber
// that was: a destructor that suspended (a TcpStream that closes) began a wait in the name of that other
// fiber.

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace weft {
namespace {

/// Suspends when destroyed, and tells in which fiber.
class SuspendsAtTheEnd {
 public:
  explicit SuspendsAtTheEnd(std::optional<std::uint64_t>& destroyed_in) noexcept
      : destroyed_in_(&destroyed_in) {}
  SuspendsAtTheEnd(SuspendsAtTheEnd&& other) noexcept
      : destroyed_in_(std::exchange(other.destroyed_in_, nullptr)) {}
  SuspendsAtTheEnd& operator=(SuspendsAtTheEnd&&) = delete;
  ~SuspendsAtTheEnd() {
    if (destroyed_in_ == nullptr) return;
    yield();
    *destroyed_in_ = this_fiber::id();
  }

 private:
  std::optional<std::uint64_t>* destroyed_in_;
};

TEST(ResultDestructor, RunsInTheDetachedFiberThatMadeTheResult) {
  std::optional<std::uint64_t> destroyed_in;
  std::uint64_t made_in = 0;
  run([&] {
    spawn([&] {
      made_in = this_fiber::id();
      return SuspendsAtTheEnd(destroyed_in);
    }).detach();
    while (!destroyed_in) yield();
  });
  EXPECT_EQ(destroyed_in, made_in);
}

TEST(ResultDestructor, RunsInTheFiberThatDropsTheHandleOfOneThatIsDone) {
  std::optional<std::uint64_t> destroyed_in;
  std::uint64_t dropped_in = 0;
  run([&] {
    dropped_in = this_fiber::id();
    auto handle = spawn([&] { return SuspendsAtTheEnd(destroyed_in); });
    while (!handle.done()) yield();
    EXPECT_FALSE(destroyed_in);
    handle.detach();
  });
  EXPECT_EQ(destroyed_in, dropped_in);
}

TEST(ResultDestructor, RunsInTheFiberThatJoins) {
  std::optional<std::uint64_t> destroyed_in;
  std::uint64_t joined_in = 0;
  run([&] {
    joined_in = this_fiber::id();
    auto handle = spawn([&] { return SuspendsAtTheEnd(destroyed_in); });
    const SuspendsAtTheEnd result = handle.join_uncancellable();
    EXPECT_FALSE(destroyed_in);
  });
  EXPECT_EQ(destroyed_in, joined_in);
}

}  // namespace
}  // namespace weft
