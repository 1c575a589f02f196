// SPDX-License-Identifier: Apache-2.0
#pragma once

/// For a function whose callers may know nothing of its body, also under LTO: it switches flows, or reads
/// what belongs to the thread that it is called on. clang still deduces attributes from the body; an
/// `asm volatile("" ::: "memory")` in it prevents that.
#if defined(__clang__)
#define WEFT_OPAQUE __attribute__((noinline))
#else
#define WEFT_OPAQUE __attribute__((noipa))
#endif
