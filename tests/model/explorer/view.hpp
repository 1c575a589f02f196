// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::model {

/// Limits of one execution; passing one is a failure that says so.
inline constexpr std::size_t kThreadsMax = 8;
inline constexpr std::size_t kLocationsMax = 128;

using ThreadIndex = std::uint8_t;
using LocationIndex = std::uint16_t;

/// A vector clock: how many steps of each thread came before.
struct Clock {
  std::array<std::uint32_t, kThreadsMax> steps{};

  std::uint32_t& operator[](std::size_t thread) noexcept { return steps[thread]; }
  std::uint32_t operator[](std::size_t thread) const noexcept { return steps[thread]; }

  void join(const Clock& other) noexcept {
    for (std::size_t i = 0; i < kThreadsMax; ++i) steps[i] = std::max(steps[i], other.steps[i]);
  }
  bool includes(const Clock& other) const noexcept {
    for (std::size_t i = 0; i < kThreadsMax; ++i) {
      if (other.steps[i] > steps[i]) return false;
    }
    return true;
  }
};

/// The oldest store of each location that may still be read: later ones are known, earlier ones are over.
struct Seen {
  std::array<std::uint16_t, kLocationsMax> store{};

  std::uint16_t& operator[](std::size_t location) noexcept { return store[location]; }
  std::uint16_t operator[](std::size_t location) const noexcept { return store[location]; }

  void join(const Seen& other) noexcept {
    for (std::size_t i = 0; i < kLocationsMax; ++i) store[i] = std::max(store[i], other.store[i]);
  }
};

/// What happened before: what a thread knows, and what a store hands on to whoever acquires it.
struct View {
  Seen seen;
  Clock clock;

  void join(const View& other) noexcept {
    seen.join(other.seen);
    clock.join(other.clock);
  }
};

}  // namespace weft::model
