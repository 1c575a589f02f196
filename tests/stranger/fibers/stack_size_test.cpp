// SPDX-License-Identifier: Apache-2.0
// SpawnOptions::stack_size as include/weft/spawn_options.hpp describes it. A size near SIZE_MAX was rounded
// up to 0, and the fiber ran on 16 KiB.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdint>
#include <cstring>
#include <new>

namespace {

constexpr std::size_t kKiB = 1024;

/// Whether a fiber with that stack, less what its own frames need, can use all of it.
bool all_of_it_is_usable(std::size_t stack_size, std::size_t use) {
  return weft::spawn(
             [use] {
               auto* const bytes = static_cast<char*>(__builtin_alloca(use));
               std::memset(bytes, 0x5a, use);
               return bytes[0] == 0x5a && bytes[use - 1] == 0x5a;
             },
             {.stack_size = stack_size})
      .join_uncancellable();
}

TEST(StackSize, ZeroIsTheDefaultOf128KiB) {
  stranger::in_fiber([] { EXPECT_TRUE(all_of_it_is_usable(0, 96 * kKiB)); });
}

TEST(StackSize, TinyStacksAreRoundedUp) {
  stranger::in_fiber([] {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{4095}})
      EXPECT_TRUE(all_of_it_is_usable(size, 4 * kKiB)) << size;
  });
}

TEST(StackSize, AsMuchAsWasAskedForIsThere) {
  stranger::in_fiber([] {
    for (std::size_t size : {64 * kKiB, 129 * kKiB, 1024 * kKiB, 8192 * kKiB})
      EXPECT_TRUE(all_of_it_is_usable(size, size - 32 * kKiB)) << size;
  });
}

TEST(StackSize, AStackOfMoreThanAGibibyteIsRefused) {
  stranger::in_fiber([] {
    constexpr std::size_t kGiB = kKiB * kKiB * kKiB;
    const std::size_t sizes[] = {kGiB + 1,        4 * kGiB,        SIZE_MAX / 2,
                                 SIZE_MAX - 4096, SIZE_MAX - 4095, SIZE_MAX};
    for (std::size_t size : sizes) {
      bool ran = false;
      EXPECT_THROW(weft::spawn([&ran] { ran = true; }, {.stack_size = size}).join_uncancellable(),
                   std::bad_alloc)
          << size;
      EXPECT_FALSE(ran) << size;
    }
    EXPECT_EQ(weft::spawn([] { return 7; }).join_uncancellable(), 7) << "the next spawn is not affected";
  });
}

}  // namespace
