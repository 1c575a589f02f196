// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where weft names std::atomic for the objects whose fast path is inlined into the user's code; all else uses
// it through src/base/atomic.hpp. No promises about this header.

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
