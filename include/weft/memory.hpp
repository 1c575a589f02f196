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

/// Whether a fiber may run on a stack without a guard, if the kernel has no more of them.
enum class StackGuards {
  /// Spawning throws std::bad_alloc then, with a text that says why. The default.
  kRequired,
  /// It runs. An overflow by less than 64 KiB does no harm then, and ends the program, with the fiber's name,
  /// when
  /// the fiber ends; one that goes further destroys what another fiber has. Costs a system call for each of
  /// such
  /// fibers, at its end.
  kWhereAvailable,
};

/// Matters before Linux 6.13 only (and after `mlockall(MCL_FUTURE)`): there a guard takes two of the
/// `vm.max_map_count` mappings that a process may have, 65,530 by default, so about 32,000 fibers can live at
/// the same time. Better than stacks without guards is a higher limit: `sysctl -w vm.max_map_count=2100000`
/// is enough for a million. With kWhereAvailable a quarter of the mappings is left for others. Applies to
/// stacks that are made from now on. Any thread; does not suspend. Throws std::bad_alloc.
void set_stack_guards(StackGuards guards);

}  // namespace weft
