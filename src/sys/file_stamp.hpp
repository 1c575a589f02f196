// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft::sys {

/// What changes when a file is written or replaced. All 0: there is none, or it cannot be looked at.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) noexcept = default;
};

/// Of the file at the path, symbolic links followed.
FileStamp stamp_of(const char* path) noexcept;

}  // namespace weft::sys
