// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Writes every live fiber to standard error: name, id, what it does, context, where it was spawned; at most
/// kDumpFibersMax. A picture of a moving thing: each line is true for a moment of its own. Any thread.
void dump_fibers() noexcept;

/// The same for a program that is about to abort, in whatever state it is: takes no lock that somebody may
/// hold, and frees nothing. The panic hook.
void dump_fibers_and_die() noexcept;

inline constexpr int kDumpFibersMax = 1000;

}  // namespace weft
