// SPDX-License-Identifier: Apache-2.0
#pragma once

// WEFT_ASAN and WEFT_TSAN: 1 when the code is built with that sanitizer (gcc and clang say it differently).

#if defined(__has_feature)
#define WEFT_HAS_FEATURE(feature) __has_feature(feature)
#else
#define WEFT_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || WEFT_HAS_FEATURE(address_sanitizer)
#define WEFT_ASAN 1
#else
#define WEFT_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || WEFT_HAS_FEATURE(thread_sanitizer)
#define WEFT_TSAN 1
#else
#define WEFT_TSAN 0
#endif

/// For a function that no sanitizer may instrument (it runs between two stacks, or in a signal handler).
#if defined(__clang__)
// The second one: without it clang's TSan still reports the function's entry and exit.
#define WEFT_NO_SANITIZE \
  __attribute__((no_sanitize("address", "thread", "undefined"), disable_sanitizer_instrumentation))
#else
#define WEFT_NO_SANITIZE __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif
