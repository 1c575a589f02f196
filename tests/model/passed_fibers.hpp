// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/fiber.hpp"
#include "model/model.hpp"

#include <array>
#include <cstddef>

namespace weft {

/// Fibers of which nothing but the address, and what is said of it here, is used.
struct PassedFibers {
  static constexpr std::size_t kCount = 6;

  Fiber& operator[](std::size_t index) noexcept { return reinterpret_cast<Fiber&>(memory[index]); }
  /// Whoever takes one may run it: what its enqueuer wrote is seen.
  void take(Fiber* fiber) noexcept {
    const auto index =
        static_cast<std::size_t>(reinterpret_cast<std::byte*>(fiber) - &memory[0][0]) / sizeof(Fiber);
    model::check(index < kCount, "a fiber that was put in");
    model::check(payload[index] == 1, "and what it stands for is seen");
    ++taken[index];
  }
  void put(std::size_t index) noexcept { payload[index] = 1; }
  void check_taken(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) model::check(taken[i] == 1, "each fiber is taken once");
  }

  alignas(Fiber) std::byte memory[kCount][sizeof(Fiber)];
  std::array<model::Plain<int>, kCount> payload;
  std::array<int, kCount> taken{};
};

}  // namespace weft
