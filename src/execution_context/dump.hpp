// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Writes every live fiber to standard error, at most kDumpFibersMax, for a program that is about to abort,
/// in whatever state it is: one line for each, takes no lock that somebody may hold, and frees nothing. The
/// panic hook. <weft/dump.hpp> is for programs that go on.
void dump_fibers_and_die() noexcept;

inline constexpr int kDumpFibersMax = 1000;

}  // namespace weft
