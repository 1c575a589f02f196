// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/context.hpp"
#include "sys/cpu.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>

namespace weft {

/// What a user's 0 means on a machine with so many usable CPUs.
constexpr std::uint32_t default_parallelism(std::uint32_t cpus) noexcept {
  return std::min(std::max(cpus, 1u), Context::kParallelismMax);
}

/// What a user asked for; 0 is as many as there are CPUs (S10). Throws std::system_error if it is too much.
inline std::uint32_t checked_parallelism(std::uint32_t parallelism) {
  if (parallelism == 0) return default_parallelism(sys::usable_cpu_count());
  if (parallelism > Context::kParallelismMax) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft: parallelism out of range");
  }
  return parallelism;
}

}  // namespace weft
