// SPDX-License-Identifier: Apache-2.0
// A call allocates nothing, as blocking_pool.hpp says. The sanitizers bring an operator new of their own:
// there nothing is counted.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

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

/// Of the calling thread: others of the library allocate now and then.
thread_local std::size_t allocations = 0;

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

TEST(BlockingAllocations, ACallMakesNoneOnEitherThread) {
  stranger::in_fiber([] {
    weft::BlockingPool pool("counted");
    const auto of_pools_thread = [&] { return pool.run([] { return allocations; }).value(); };
    const std::size_t theirs = of_pools_thread();
    const std::size_t ours = allocations;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(of_pools_thread(), theirs);
    const weft::CancelScope scope;
    EXPECT_EQ(of_pools_thread(), theirs);
    EXPECT_EQ(allocations, ours);
    EXPECT_EQ(pool.counters().started_threads, 1u);  // one fiber needs no second one
  });
}

}  // namespace

#endif
