// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace weft {

/// Replaces what could begin a line or steer a terminal by spaces: control characters of ASCII, and those of
/// the second half (U+0080 to U+009F), as UTF-8 or as bytes of their own. Other text in UTF-8 stays. Any
/// thread; async-signal-safe.
void blank_control_characters(char* text, std::size_t size) noexcept;

}  // namespace weft
