// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace weft {

/// Fields written by different threads stand this far apart. 64 bytes on the CPUs weft runs on;
/// std::hardware_destructive_interference_size is not used as it varies with compiler flags (an ABI trap).
inline constexpr std::size_t kCacheLine = 64;

}  // namespace weft
