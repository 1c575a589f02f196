// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

#ifndef WEFT_PORTION  // the model checker's is 1: every state between two portions is explored
#define WEFT_PORTION 512
#endif

/// How many waiters or fibers are dealt with in one section of a lock: some hundred microseconds, if their
/// memory is cold. What holds for more of them is written where the lock is let go between two portions.
inline constexpr std::uint32_t kPortion = WEFT_PORTION;

}  // namespace weft
