// SPDX-License-Identifier: Apache-2.0
#pragma once

// std::atomic under weft's name, for objects whose fast path is inlined into user code. The library itself
// uses src/base/atomic.hpp. Internal: this header may change at any time.

#include <atomic>

namespace weft::detail {

template <class T>
using Atomic = std::atomic<T>;

inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

}  // namespace weft::detail
