// SPDX-License-Identifier: Apache-2.0
// 20,000 fibers that went 60 KB deep left 1.2 GB behind, for as long as the process lived.
#include "resident.hpp"

#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;
using stranger::go_deep;
using stranger::resident;

constexpr int kFibers = STRANGER_COUNTS_MEMORY ? 3000 : 100;
constexpr long kDepth = 60 * 1024;
constexpr long kNear = 8 * 1024 * 1024;

/// All at the same time; gives how much was resident then.
long peak() {
  weft::Latch deep(kFibers);
  weft::Latch leave(1);
  std::vector<weft::JoinHandle<void>> fibers;
  for (int i = 0; i < kFibers; ++i) {
    fibers.push_back(weft::spawn([&] {
      go_deep(kDepth);
      deep.count_down();
      leave.wait_uncancellable();
    }));
  }
  deep.wait_uncancellable();
  const long held = resident();
  leave.count_down();
  for (auto& fiber : fibers) EXPECT_TRUE(fiber.join());
  return held;
}

/// Memory comes back by itself, at a time that is the library's: waits until it has, with patience.
bool comes_down_to(long bytes) {
  for (int i = 0; i < 600; ++i) {
    if (resident() <= bytes) return true;
    if (!weft::sleep(100ms)) return false;
  }
  return false;
}

TEST(MemoryAfterAPeak, ComesBackWhenAllIsIdle) {
  stranger::in_fiber(
      [] {
        const long before = resident();
        const long at_peak = peak();
        if (!STRANGER_COUNTS_MEMORY) return;
        EXPECT_GT(at_peak, before + kFibers * kDepth / 2);
        EXPECT_TRUE(comes_down_to(before + kNear)) << before << ' ' << at_peak << ' ' << resident();
      },
      4);
}

TEST(MemoryAfterAPeak, ComesBackWhileTheProgramIsBusy) {
  stranger::in_fiber(
      [] {
        const long before = resident();
        bool done = false;
        auto busy = weft::spawn([&] {
          while (!done) weft::yield();
        });
        peak();
        if (STRANGER_COUNTS_MEMORY) {
          EXPECT_TRUE(comes_down_to(before + kNear)) << before << ' ' << resident();
        }
        done = true;
        EXPECT_TRUE(busy.join());
      },
      1);
}

TEST(MemoryAfterAPeak, ComesBackAtOnceWhenItIsAskedFor) {
  stranger::in_fiber(
      [] {
        weft::trim_memory();
        const long before = resident();
        peak();
        EXPECT_GE(weft::trim_memory(), 1u) << "all, but for what the library gives back by itself meanwhile";
        if (STRANGER_COUNTS_MEMORY) {
          EXPECT_LE(resident(), before + kNear);
        }
        EXPECT_EQ(weft::trim_memory(), 0u) << "of nothing, nothing";
        peak();  // the stacks go on to be used
      },
      1);
}

TEST(MemoryAfterAPeak, APlainThreadMayAskForItToo) {
  stranger::in_fiber([] { peak(); });
  EXPECT_GE(weft::trim_memory(), 0u);
  stranger::in_fiber([] { peak(); });
}

}  // namespace
