// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place where weft's sources name std::atomic (what is inlined into a user's code has it from
// <weft/detail/atomic.hpp>). The model checker substitutes the two headers: every protocol of the runtime is
// then explored with these operations as its scheduling points (docs/design/model-checking.md;
// tests/model/substitute has their counterparts, with the same names).

#include <weft/detail/atomic.hpp>

#include <sched.h>

namespace weft {

using detail::Atomic;

using detail::acq_rel;
using detail::acquire;
using detail::relaxed;
using detail::release;
using detail::seq_cst;

/// A full fence. Each use names its litmus test and the fence it pairs with. It orders a store before a load
/// (store buffering), and nothing else: data is published by a release and an acquire of its own. TSan does
/// not model fences, and so needs none; a read-modify-write on one word in its place would order any two
/// threads of the process, and hide the races of users.
inline void full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

/// Tells the CPU that this is a spin-wait loop: what was read will be read again until another thread has
/// changed it.
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

/// The same, where that may take a while: another thread gets the CPU, which may be the one waited for.
inline void yield_cpu() noexcept { sched_yield(); }

}  // namespace weft
