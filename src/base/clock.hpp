// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// The monotonic clock in nanoseconds; or, inside a simulation, the virtual clock of the loop that runs
/// the calling fiber (see `ClockOverride`). Any thread.
std::int64_t now_ns() noexcept;

/// The same as of the kernel's last tick, up to 4 ms ago: a few nanoseconds to read instead of 25.
std::int64_t coarse_now_ns() noexcept;

/// Time since 1970.
struct UnixTime {
  std::int64_t seconds;
  std::int64_t nanoseconds;
};

/// As of the kernel's last tick. Any thread.
UnixTime coarse_unix_time() noexcept;

/// The real monotonic clock, whatever the loop. Any thread.
std::int64_t monotonic_ns() noexcept;

/// While set, `now_ns()` of this thread reads `*time_ns`. The simulated loop sets it for the thread
/// that drives it; null restores the real clock. The pointee must outlive the setting.
void set_clock_override(const std::int64_t* time_ns) noexcept;

}  // namespace weft
