// SPDX-License-Identifier: Apache-2.0
#include "fiber/stack_pool.hpp"

#include "sys/fault.hpp"
#include "sys/memory_usage.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <vector>

namespace weft {
namespace {

const int kDefaultClass = StackSizeClass::of_size(kDefaultStackSize);

std::vector<StackSlot*> take_many(StackCache& cache, int count) {
  std::vector<StackSlot*> slots;
  for (int i = 0; i < count; ++i) slots.push_back(cache.take(kDefaultClass));
  return slots;
}

void give_all(StackCache& cache, const std::vector<StackSlot*>& slots) {
  for (StackSlot* slot : slots) cache.give(*slot);
}

TEST(StackSizeClass, RoundsUpToAPowerOfTwoOfPages) {
  EXPECT_EQ(StackSizeClass::of_size(1), 0);
  EXPECT_EQ(StackSizeClass::of_size(16 * 1024), 0);
  EXPECT_EQ(StackSizeClass::of_size(16 * 1024 + 1), 1);
  EXPECT_EQ(StackSizeClass::pages(kDefaultClass) * sys::page_size(), kDefaultStackSize);
}

TEST(StackSizeClass, RefusesWhatIsTooLarge) {
  EXPECT_EQ(StackSizeClass::of_size(std::size_t{1} << 30), StackSizeClass::kCount - 1);
  EXPECT_EQ(StackSizeClass::of_size((std::size_t{1} << 30) + 1), -1);
  // Was class 0: rounding up to pages wrapped.
  for (std::size_t below : {std::size_t{0}, std::size_t{1}, std::size_t{4094}, std::size_t{4096}})
    EXPECT_EQ(StackSizeClass::of_size(SIZE_MAX - below), -1) << below;
}

TEST(StackSizeClass, TheStrideIsAnOddNumberOfPages) {
  EXPECT_EQ(StackSizeClass::stride_pages(kDefaultClass), 49u);
  for (int i = 0; i < StackSizeClass::kCount; ++i) EXPECT_EQ(StackSizeClass::stride_pages(i) % 2, 1u);
}

TEST(StackPool, SlotsDoNotOverlapAndCanBeWrittenFromEndToEnd) {
  StackPool pool({.first_slab_slots = 4});
  StackCache cache(pool);
  std::set<std::byte*> highs;
  for (StackSlot* slot : take_many(cache, 10)) {
    std::byte* const low = slot->slab->low(*slot);
    EXPECT_GE(static_cast<std::size_t>(slot->high() - low), kDefaultStackSize);
    std::memset(low, 0xab, kDefaultStackSize - sizeof(StackSlot));
    highs.insert(slot->high());
  }
  ASSERT_EQ(highs.size(), 10u);
  std::byte* previous = nullptr;
  for (std::byte* high : highs) {
    if (previous != nullptr) {
      EXPECT_GE(static_cast<std::size_t>(high - previous), kDefaultStackSize + StackSlab::guard_size());
    }
    previous = high;
  }
}

TEST(StackPool, NeighboursEndAtDifferentPlacesOfTheirPages) {
  StackPool pool({.first_slab_slots = 64});
  StackCache cache(pool);
  std::map<std::uintptr_t, int> places;
  constexpr int kSlots = 3 * StackSlab::kColours;
  for (StackSlot* slot : take_many(cache, kSlots)) {
    std::byte* const guard = slot->slab->guard(*slot);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(guard) % sys::page_size(), 0u);
    EXPECT_EQ(guard + slot->slab->stride(), slot->slab->end(*slot));
    EXPECT_EQ(&slot->slab->slot(slot->slab->index_of(*slot)), slot);
    ++places[reinterpret_cast<std::uintptr_t>(slot->high()) % sys::page_size()];
  }
  ASSERT_EQ(places.size(), StackSlab::kColours);
  for (const auto& [place, count] : places) EXPECT_GE(count, 2) << place;  // some are cut, and not taken
}

TEST(StackPool, TheSlotUsedLastIsTakenFirst) {
  StackPool pool;
  StackCache cache(pool);
  const std::vector<StackSlot*> slots = take_many(cache, 3);
  give_all(cache, slots);
  EXPECT_EQ(cache.take(kDefaultClass), slots[2]);
  EXPECT_EQ(cache.take(kDefaultClass), slots[1]);
}

TEST(StackPool, WhatOneThreadGivesBackAnotherGets) {
  StackPool pool;
  std::set<StackSlot*> given;
  std::thread([&] {
    StackCache cache(pool);
    const std::vector<StackSlot*> slots = take_many(cache, 100);
    given.insert(slots.begin(), slots.end());
    give_all(cache, slots);
  }).join();
  StackCache cache(pool);
  for (StackSlot* slot : take_many(cache, 100)) EXPECT_EQ(given.count(slot), 1u);
}

TEST(StackPool, ACacheKeepsAtMostTwoBatches) {
  StackPool pool;
  StackCache cache(pool);
  const std::vector<StackSlot*> slots = take_many(cache, 500);
  give_all(cache, slots);
  const std::set<StackSlot*> given(slots.begin(), slots.end());
  std::uint32_t in_the_pool = 0;
  for (;;) {
    StackBatch batch = pool.take_batch(kDefaultClass);
    ASSERT_FALSE(batch.empty());
    if (given.count(&batch.pop()) == 0) break;  // newly cut: no given one is left
    in_the_pool += batch.size() + 1;
  }
  EXPECT_GE(in_the_pool, 500 - 2 * StackBatch::kSizeMax);
}

TEST(StackPool, EverySlotEverHandedOutIsVisited) {
  StackPool pool({.first_slab_slots = 2});
  StackCache cache(pool);
  const std::vector<StackSlot*> slots = take_many(cache, 50);
  std::set<StackSlot*> visited;
  pool.for_each_slot([&](StackSlot& slot) { visited.insert(&slot); });
  for (StackSlot* slot : slots) EXPECT_EQ(visited.count(slot), 1u);
}

TEST(StackPool, TrimmingGivesUnusedMemoryBackAndTheSlotsStayUsable) {
  StackPool pool;
  constexpr int kCount = 1000;
  {
    StackCache cache(pool);
    const std::vector<StackSlot*> slots = take_many(cache, kCount);
    for (StackSlot* slot : slots) std::memset(slot->high() - 20'000, 0xcd, 19'000);
    give_all(cache, slots);
  }
  EXPECT_EQ(pool.trim(), 0u) << "they were needed in the period that ends here";
  const std::size_t before = *sys::resident_bytes();
  EXPECT_GE(pool.trim(), std::size_t{kCount} - StackBatch::kSizeMax);
  const std::size_t after = *sys::resident_bytes();
  EXPECT_GT(before, after + kCount * 19'000);

  StackCache cache(pool);
  for (StackSlot* slot : take_many(cache, kCount)) {
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->references.load(), 0u);
    std::memset(slot->high() - 20'000, 0xef, 19'000);
  }
}

TEST(StackPool, TrimmingLeavesWhatWasNeededSinceTheLastTime) {
  StackPool pool;
  const auto use = [&pool](int count) {
    StackCache cache(pool);
    give_all(cache, take_many(cache, count));
  };
  use(320);
  static_cast<void>(pool.trim());
  use(320);
  EXPECT_LE(pool.trim(), 2 * StackBatch::kSizeMax);
}

TEST(StackPool, WhatIsFreeNowCanBeGivenUpInPortions) {
  StackPool pool;
  {
    StackCache cache(pool);
    give_all(cache, take_many(cache, 320));
  }
  StackSlot* const loose = pool.take(kDefaultClass);
  pool.give(*loose);
  std::size_t trimmed = 0;
  EXPECT_FALSE(pool.trim_until(0, trimmed)) << "nothing was given up";
  EXPECT_EQ(trimmed, 0u);
  pool.give_up_free();
  int portions = 1;
  while (pool.trim_until(0, trimmed)) ++portions;
  EXPECT_GE(portions, 320 / static_cast<int>(StackBatch::kSizeMax)) << "a batch each, as no time was given";
  EXPECT_GE(trimmed, 320u);
  EXPECT_FALSE(pool.has_free());
}

TEST(StackPool, WhatIsTakenAfterwardsIsNotGivenUp) {
  StackPool pool;
  {
    StackCache cache(pool);
    give_all(cache, take_many(cache, 320));
  }
  pool.give_up_free();
  StackCache cache(pool);
  const std::vector<StackSlot*> in_use = take_many(cache, 320);
  for (StackSlot* slot : in_use) slot->batch_size = 4711;  // would be zero if it were given back
  std::size_t trimmed = 0;
  while (pool.trim_until(0, trimmed)) {}
  for (StackSlot* slot : in_use) EXPECT_EQ(slot->batch_size, 4711u);
  give_all(cache, in_use);
}

TEST(StackPool, NoMemoryForASlabIsNull) {
  StackPool pool;
  sys::FaultPlan faults;
  faults.fail(sys::Call::mmap, ENOMEM, {.times = sys::FaultRange::kAlways});
  StackCache cache(pool);
  EXPECT_EQ(cache.take(kDefaultClass), nullptr);
  EXPECT_EQ(pool.take(kDefaultClass), nullptr);
}

TEST(StackPool, ASmallerSlabIsMappedWhenALargeOneDoesNotFit) {
  StackPool pool;
  sys::FaultPlan faults;
  faults.fail(sys::Call::mmap, ENOMEM, {.times = 3});
  StackCache cache(pool);
  ASSERT_NE(cache.take(kDefaultClass), nullptr);
  EXPECT_EQ(faults.applied(), 3u);
}

TEST(StackPool, ASlotWithoutAGuardIsNotHandedOut) {
  StackPool pool;
  StackCache cache(pool);
  {
    sys::FaultPlan faults;
    faults.fail(sys::Call::madvise, EINVAL, {.times = sys::FaultRange::kAlways});
    faults.fail(sys::Call::mprotect, ENOMEM, {.times = sys::FaultRange::kAlways});
    EXPECT_EQ(cache.take(kDefaultClass), nullptr);
  }
  EXPECT_NE(cache.take(kDefaultClass), nullptr) << "the slot was not lost";
}

TEST(StackPool, AFailedGuardInstallFallsBackToProtection) {
  StackPool pool;
  StackCache cache(pool);
  sys::FaultPlan faults;
  faults.fail(sys::Call::madvise, EINVAL, {.times = sys::FaultRange::kAlways});
  StackSlot* const slot = cache.take(kDefaultClass);
  ASSERT_NE(slot, nullptr);
  EXPECT_DEATH(*reinterpret_cast<volatile std::byte*>(slot->slab->guard(*slot)) = std::byte{1}, "");
}

TEST(StackPool, BeyondTheLimitOfProtectedGuardsStacksAreMarkedAsUnguarded) {
  StackPool pool({.guard_by_mprotect = true});
  pool.set_guard_limit({.required = false, .protected_max = 40});
  StackCache cache(pool);
  const std::vector<StackSlot*> slots = take_many(cache, 100);
  int guarded = 0;
  for (StackSlot* slot : slots) guarded += slot->unguarded ? 0 : 1;
  EXPECT_EQ(guarded, 40);
  EXPECT_FALSE(pool.lacks_guards());
  give_all(cache, slots);
  // Given back and cut again, each has what it had.
  cache.flush();
  pool.give_up_free();
  std::size_t trimmed = 0;
  while (pool.trim_until(0, trimmed)) {}
  guarded = 0;
  for (StackSlot* slot : take_many(cache, 100)) guarded += slot->unguarded ? 0 : 1;
  EXPECT_LE(guarded, 40);
}

TEST(StackPool, AStackThatIsRefusedForItsGuardIsTold) {
  StackPool pool({.guard_by_mprotect = true});
  StackCache cache(pool);
  ASSERT_NE(cache.take(kDefaultClass), nullptr);
  sys::FaultPlan faults;
  faults.fail(sys::Call::mprotect, ENOMEM, {.times = sys::FaultRange::kAlways});
  EXPECT_FALSE(pool.lacks_guards());
  while (cache.take(kDefaultClass) != nullptr) {}
  EXPECT_TRUE(pool.lacks_guards());
}

class StackPoolGuards : public testing::TestWithParam<bool> {};

TEST_P(StackPoolGuards, TouchingTheGuardIsFatalAndBesideItIsNot) {
  StackPool pool({.guard_by_mprotect = GetParam()});
  EXPECT_TRUE(!GetParam() || pool.guards_by_mprotect());
  StackCache cache(pool);
  StackSlot& slot = *cache.take(kDefaultClass);
  volatile std::byte* const guard = slot.slab->guard(slot);
  guard[StackSlab::guard_size()] = std::byte{1};
  EXPECT_DEATH(guard[StackSlab::guard_size() - 1] = std::byte{1}, "");
  EXPECT_DEATH(guard[sys::page_size()] = std::byte{1}, "");
  EXPECT_DEATH(guard[0] = std::byte{1}, "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, StackPoolGuards, testing::Bool());

TEST(StackPool, ThreadsTakeAndGiveAtOnce) {
  StackPool pool({.first_slab_slots = 4});
  const auto churn = [&pool] {
    StackCache cache(pool);
    for (int round = 0; round < 50; ++round) {
      const std::vector<StackSlot*> slots = take_many(cache, 1 + round * 7 % 90);
      for (StackSlot* slot : slots) slot->constructed = true;  // a data race if two threads got it
      give_all(cache, slots);
    }
  };
  std::thread other(churn);
  churn();
  static_cast<void>(pool.trim());
  other.join();
  std::size_t slots = 0;
  pool.for_each_slot([&](StackSlot&) { ++slots; });
  EXPECT_LE(slots, 2 * 90u + 6 * StackBatch::kSizeMax);
}

}  // namespace
}  // namespace weft
