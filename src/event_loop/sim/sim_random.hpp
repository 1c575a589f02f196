// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// The simulation's random numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), the same on every machine,
/// as the distributions of <random> are not. Not thread-safe.
class SimRandom {
 public:
  explicit SimRandom(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept { return mixed(state_ += 0x9e3779b97f4a7c15); }

  /// One of 0 to count - 1; the bias of the remainder is below what a simulation can see. REQUIRES: count >
  /// 0.
  std::uint64_t below(std::uint64_t count) noexcept { return next() % count; }

  /// True in `percent` of a hundred cases. Draws nothing for 0.
  bool chance(std::uint32_t percent) noexcept { return percent != 0 && below(100) < percent; }

  /// The generator's output function, which also serves as a hash.
  static std::uint64_t mixed(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace weft
