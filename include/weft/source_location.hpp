// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// A place in the source. A default argument `SourceLocation::current()` captures the caller's place.
/// (std::source_location is missing in clang 14.)
struct SourceLocation {
  const char* file = "";
  int line = 0;

  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace weft
