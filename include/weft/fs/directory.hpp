// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/fs/status.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::fs {

class DirectoryCore;
class WalkCore;

namespace detail {
struct DeleteDirectoryCore {
  void operator()(DirectoryCore* core) const noexcept;
  void operator()(WalkCore* core) const noexcept;
};
}  // namespace detail

/// One name in a directory.
struct DirectoryEntry {
  std::string name;                    ///< any bytes but '/' and NUL
  FileType type = FileType::kUnknown;  ///< of the entry itself: a symbolic link is kSymlink
};

/// Reads the names in a directory, one after the other, in the order of the file system.
///
///     auto directory = weft::fs::Directory::open("/etc").value();
///     while (auto entry = directory.next().value()) print(entry->name);
///
/// Suspension, cancellation, deadlines, errors: as File. Names that come or go meanwhile may be seen or not.
/// Thread safety: one fiber at a time.
class Directory {
 public:
  Directory(Directory&&) noexcept;
  Directory& operator=(Directory&&) noexcept;
  ~Directory();

  /// Errors name the path: ENOENT, ENOTDIR, EACCES, EMFILE, ...
  static Result<Directory> open(std::string_view path, Deadline deadline = Deadline::never());

  /// The next name; none: that were all. "." and ".." are left out. May suspend.
  Result<std::optional<DirectoryEntry>> next(Deadline deadline = Deadline::never());

 private:
  friend class DirectoryCore;
  explicit Directory(DirectoryCore* core) noexcept;

  std::unique_ptr<DirectoryCore, detail::DeleteDirectoryCore> core_;
};

/// All entries of a directory, sorted by name. Suspends. Errors as Directory's.
Result<std::vector<DirectoryEntry>> read_directory(std::string_view path,
                                                   Deadline deadline = Deadline::never());

/// Options for Walk.
struct WalkOptions {
  /// kFollow: a symbolic link to a directory is entered. One that leads to a directory around it is ELOOP.
  Links links = Links::kKeep;
};

/// What a walk has come by.
struct WalkEntry {
  std::string path;                    ///< begins with the path that the walk began with
  FileType type = FileType::kUnknown;  ///< of the entry itself, or of what it leads to if links are followed
  std::uint32_t depth = 0;             ///< 0: directly in the directory that the walk began with
};

/// Walks through a directory and all directories in it. A directory comes before what is in it.
///
///     auto walk = weft::fs::Walk::begin("/var/log").value();
///     while (auto entry = walk.next().value())
///       if (entry->type == weft::fs::FileType::kRegular) print(entry->path);
///
/// After an error of next(), which names the path, the walk can go on: that directory is passed over.
/// A walk holds a descriptor for each directory that it is in; EMFILE if they are too many.
/// Suspension, cancellation, deadlines, errors: as File. Thread safety: one fiber at a time.
class Walk {
 public:
  Walk(Walk&&) noexcept;
  Walk& operator=(Walk&&) noexcept;
  ~Walk();

  static Result<Walk> begin(std::string_view path, const WalkOptions& options = {},
                            Deadline deadline = Deadline::never());

  /// The next entry; none: that were all. May suspend.
  Result<std::optional<WalkEntry>> next(Deadline deadline = Deadline::never());
  /// The directory that next() gave last is not entered. Does not suspend.
  void skip() noexcept;

 private:
  explicit Walk(WalkCore* core) noexcept;

  std::unique_ptr<WalkCore, detail::DeleteDirectoryCore> core_;
};

}  // namespace weft::fs
