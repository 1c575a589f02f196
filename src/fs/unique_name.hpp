// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace weft::fs {

/// So often another name is tried when one is taken.
inline constexpr int kNamesMax = 100;

/// `prefix` and twelve letters, other ones with each call, also in other processes. Any thread.
std::string unique_name(std::string_view prefix);

/// The directory that a path's last component is in, "." if it has one component only.
std::string directory_of(std::string_view path);

}  // namespace weft::fs
