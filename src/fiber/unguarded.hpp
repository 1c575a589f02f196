// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stacks without a guard, where the kernel has no more of them and the program prefers to go on
// (weft/memory.hpp, docs/design/stacks.md "Guards"). The room for the guard is there all the same, and nobody
// else's: an overflow of less than 64 KiB does no harm, and leaves pages in memory where there should be
// none.

#include "base/detail_names.hpp"

namespace weft {

/// When the fiber has ended: if it went below its stack the program ends, with the fiber's name. One system
/// call.
void check_for_overflow(Fiber& fiber) noexcept;

}  // namespace weft
