// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place where weft names std::atomic. A model checker substitutes this header: every protocol of
// the runtime is then explored with these operations as its scheduling points.

#include "base/sanitizers.hpp"

#include <atomic>

namespace weft {

template <class T>
using Atomic = std::atomic<T>;

inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

/// A full fence. Each use names its litmus test and the fence it pairs with.
inline void full_fence() noexcept {
#if WEFT_TSAN
  // TSan does not model fences; a read-modify-write on one word gives it the same order.
  static std::atomic<int> fence_word{0};
  fence_word.fetch_add(0, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// Tells the CPU that this is a spin-wait loop.
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace weft
