// SPDX-License-Identifier: Apache-2.0
// A call allocates nothing, as blocking_pool.hpp says. The sanitizers bring an operator new of their own:
// there nothing is counted.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

#if COUNTS_ALLOCATIONS

namespace {

/// Of all threads: the pool's count, too.
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

TEST(BlockingAllocations, ACallMakesNone) {
  stranger::in_fiber([] {
    weft::BlockingPool pool("counted");
    int sum = 0;
    const auto hop = [&](int i) { sum += pool.run([i] { return i; }).value(); };
    hop(0);
    const std::size_t before = allocations.load();
    for (int i = 1; i <= 100; ++i) hop(i);
    EXPECT_EQ(allocations.load() - before, 0u);
    EXPECT_EQ(sum, 5050);
    const weft::CancelScope scope;
    hop(1);
    EXPECT_EQ(allocations.load() - before, 0u);
  });
}

}  // namespace

#endif
