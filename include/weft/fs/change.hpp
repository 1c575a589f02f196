// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <string_view>

namespace weft::fs {

// Changes of directories. Suspension, cancellation, deadlines: as File. Errors name the path.

/// Whether a file that has the new name already is replaced; otherwise it is EEXIST.
enum class Replace : std::uint8_t { kYes, kNo };

/// Gives the file at `from` the path `to`, at one go. Errors: ENOENT, EEXIST, EXDEV (another disk), EISDIR,
/// ENOTDIR, ENOTEMPTY, EACCES, EROFS, ...
Result<void> rename(std::string_view from, std::string_view to, Replace replace = Replace::kYes,
                    Deadline deadline = Deadline::never());

/// Removes a file, a symbolic link (not what it leads to), or an empty directory. Errors: ENOENT, ENOTEMPTY,
/// EACCES, EROFS, ...
Result<void> remove(std::string_view path, Deadline deadline = Deadline::never());

/// Removes a file, or a directory with all that is in it; symbolic links are not followed. Returns the number
/// of files and directories that were removed, 0 if there is nothing at `path`. After an error some are
/// removed. Holds a descriptor for each directory that it is in.
Result<std::uint64_t> remove_all(std::string_view path, Deadline deadline = Deadline::never());

/// Creates a directory. Errors: EEXIST, ENOENT, ENOTDIR, EACCES, EROFS, ...
Result<void> create_directory(std::string_view path, std::uint32_t mode = 0777,
                              Deadline deadline = Deadline::never());

/// Creates a directory, and those around it that are missing. Success if it is there already. ENOTDIR if a
/// file is in the way.
Result<void> create_directories(std::string_view path, std::uint32_t mode = 0777,
                                Deadline deadline = Deadline::never());

/// Returns when the names in the directory are on the disk (fsync): after creating, renaming or removing.
Result<void> sync_directory(std::string_view path, Deadline deadline = Deadline::never());

/// Copies the content and the permissions of a regular file. The kernel copies, or shares the blocks, where
/// it can. Returns the number of bytes; after an error the copy has so many, and stays. Errors: EEXIST,
/// EINVAL if both are the same file, and those of File.
io::Progress copy_file(std::string_view from, std::string_view to, Replace replace = Replace::kYes,
                       Deadline deadline = Deadline::never());

}  // namespace weft::fs
