// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::fs {

/// What kind of file it is.
enum class FileType : std::uint8_t {
  kRegular,
  kDirectory,
  kSymlink,
  kFifo,
  kSocket,
  kCharacterDevice,
  kBlockDevice,
  kUnknown,
};

/// What the file system knows about a file.
struct FileStatus {
  FileType type = FileType::kUnknown;
  std::uint32_t mode = 0;       ///< permissions, with the set-user-ID, set-group-ID and sticky bits
  std::uint64_t size = 0;       ///< in bytes
  std::uint64_t allocated = 0;  ///< bytes of the disk; less than `size` for a sparse file
  std::uint64_t links = 0;      ///< names of the file
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint64_t device = 0;      ///< with `inode`: which file it is
  std::uint64_t inode = 0;       ///< see `device`
  std::int64_t modified_ns = 0;  ///< the last change of the content, in ns since 1970
  std::int64_t changed_ns = 0;   ///< the last change of the content or of what stands here, in ns since 1970
};

/// Whether the last component of a path is followed if it is a symbolic link.
enum class Links : std::uint8_t { kFollow, kKeep };

/// Returns the status of the file at `path`. Suspends. Errors name the path: ENOENT, ENOTDIR, ELOOP, EACCES,
/// EINVAL for a path with a NUL; see File for the others.
Result<FileStatus> status(std::string_view path, Links links = Links::kFollow,
                          Deadline deadline = Deadline::never());

/// Whether there is a file at `path`; a symbolic link that leads nowhere is none. Errors as status(), without
/// ENOENT. Suspends.
Result<bool> exists(std::string_view path, Deadline deadline = Deadline::never());

}  // namespace weft::fs
