// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace weft {

/// Gives the memory of stacks that no fiber uses back to the kernel, but for up to 64 that each other thread
/// keeps for its next fibers. The library does so by itself: while fibers run, with what no fiber needed for
/// a second; when all is idle for a tenth of a second, at most once a second, with all of them. So this is
/// for a program that wants it at once, after a peak. Returns how many stacks this call gave back.
///
/// About 2 us a stack, in portions of at most a millisecond, between which a calling fiber lets others run.
/// May suspend in a fiber; any thread. Not cancellable.
std::size_t trim_memory() noexcept;

}  // namespace weft
