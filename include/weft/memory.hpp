// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace weft {

/// Gives the memory of unused stacks back to the kernel, at once. Returns how many stacks were given back.
///
/// The library does the same by itself. While fibers run, it gives back the stacks that no fiber has needed
/// for a second. When the program has been idle for a tenth of a second, it gives back all of them. So a
/// program needs this call only if it cannot wait for a second after a peak.
///
/// Each other thread keeps up to 64 stacks for its next fibers. A stack takes about 2 us. The call works in
/// portions of at most a millisecond; a fiber that calls it lets others run between two portions. It may
/// suspend in a fiber, and is not cancellable. Any thread may call it.
std::size_t trim_memory() noexcept;

/// Whether a fiber may run on a stack without a guard if the kernel has no more guards.
enum class StackGuards {
  /// Spawning then throws std::bad_alloc, with a text that says why. The default.
  kRequired,
  /// The fiber runs. If its stack overflows by less than 64 KiB, nothing is damaged, and the end of the fiber
  /// ends the program with the fiber's name. A larger overflow damages the memory of another fiber. Each such
  /// fiber costs one system call when it ends.
  kWhereAvailable,
};

/// Says whether fibers may run without a guard. It matters before Linux 6.13 only, and after
/// `mlockall(MCL_FUTURE)`. There each guard takes two of the mappings that a process may have
/// (`vm.max_map_count`, 65,530 by default), so about 32,000 fibers can live at the same time. A higher limit
/// is better than stacks without guards: `sysctl -w vm.max_map_count=2100000` is enough for a million fibers.
/// With kWhereAvailable a quarter of the mappings is left for other uses. The call applies to stacks that are
/// made from now on. It does not suspend. Any thread may call it. Throws std::bad_alloc.
void set_stack_guards(StackGuards guards);

}  // namespace weft
