// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel says that a process holds.

#include "stranger/stranger.hpp"

#include <cstdint>
#include <fstream>
#include <sys/mman.h>
#include <vector>

// Of an instrumented program most is the sanitizer's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRANGER_COUNTS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRANGER_COUNTS_MEMORY 0
#endif
#endif
#ifndef STRANGER_COUNTS_MEMORY
#define STRANGER_COUNTS_MEMORY 1
#endif

namespace stranger {

inline constexpr long kPage = 4096;

/// In bytes.
inline long resident() {
  std::ifstream statm("/proc/self/statm");
  long all = 0;
  long resident_pages = 0;
  statm >> all >> resident_pages;
  return resident_pages * kPage;
}

/// How many of the `count` pages below the one with `address` in it are in memory.
inline long resident_pages_below(const void* address, std::size_t count) {
  const auto page = reinterpret_cast<std::uintptr_t>(address) & ~std::uintptr_t{kPage - 1};
  std::vector<unsigned char> states(count);
  const std::size_t size = count * std::size_t{kPage};
  EXPECT_EQ(mincore(reinterpret_cast<void*>(page - size), size, states.data()), 0);
  long found = 0;
  for (const unsigned char state : states) found += state & 1;
  return found;
}

/// Touches that many bytes of the stack, as deep calls do.
[[gnu::noinline]] inline void go_deep(std::size_t size) {
  volatile char* const bytes = static_cast<volatile char*>(__builtin_alloca(size));
  for (std::size_t i = 0; i < size; i += 1024) bytes[size - 1 - i] = 1;
}

}  // namespace stranger
