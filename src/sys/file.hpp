// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>

// Files by their path.

namespace weft::sys {

/// Which file it is, and whether it is a socket's.
struct FileStatus {
  std::uint64_t device;
  std::uint64_t inode;
  bool is_socket;
};

/// Of the path itself: a symbolic link is not followed.
Result<FileStatus> status_of(const char* path) noexcept;
/// Whether all bytes of the file from `offset` on, as far as it goes, are in memory now: reading them does
/// not wait for the disk. False if the kernel cannot say (before 6.5).
bool is_in_memory(int fd, std::uint64_t offset, std::size_t size) noexcept;
Result<void> unlink(const char* path) noexcept;
Result<void> change_mode(const char* path, std::uint32_t mode) noexcept;

}  // namespace weft::sys
