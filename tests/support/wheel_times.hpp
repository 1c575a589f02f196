// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/timers/timer_wheel.hpp"

#include <cstdint>

namespace weft::test {

/// Nanoseconds of one slot of the finest wheel, and of a day.
inline constexpr std::int64_t kTick = std::int64_t{1} << TimerWheel::kTickBits;
inline constexpr std::int64_t kDay = 86'400'000'000'000;

}  // namespace weft::test
