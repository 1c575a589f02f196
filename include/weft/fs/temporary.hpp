// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/fs/file.hpp>
#include <weft/result.hpp>

#include <string>
#include <string_view>

namespace weft::fs {

/// The directory for temporary files: TMPDIR, or /tmp. Does not suspend.
std::string temporary_directory();

/// A new file with a name that no other file has, readable and writable by its user only. It is removed when
/// the object is destroyed.
///
/// Suspension, errors: as File. Thread safety: as File. Destruction: removes the file without suspending.
class TemporaryFile {
 public:
  /// In `directory`, with a name that begins with `prefix`.
  static Result<TemporaryFile> create(std::string_view directory = temporary_directory(),
                                      std::string_view prefix = "weft-",
                                      Deadline deadline = Deadline::never());
  TemporaryFile(TemporaryFile&&) noexcept = default;
  TemporaryFile& operator=(TemporaryFile&& other) noexcept;
  ~TemporaryFile();

  File& file() noexcept { return file_; }
  const std::string& path() const noexcept { return path_; }
  /// The file is not removed.
  void keep() noexcept { kept_ = true; }

 private:
  TemporaryFile(File file, std::string path) noexcept : file_(std::move(file)), path_(std::move(path)) {}
  void remove() noexcept;

  File file_;
  std::string path_;
  bool kept_ = false;
};

/// A new directory with a name that no other file has, for its user only. It is removed, with all that is in
/// it, when the object is destroyed.
///
/// Suspension, errors: as File. Thread safety: one fiber at a time. Destruction: removes it; suspends, also
/// in a fiber that was cancelled.
class TemporaryDirectory {
 public:
  /// In `parent`, with a name that begins with `prefix`.
  static Result<TemporaryDirectory> create(std::string_view parent = temporary_directory(),
                                           std::string_view prefix = "weft-",
                                           Deadline deadline = Deadline::never());
  TemporaryDirectory(TemporaryDirectory&&) noexcept = default;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
  ~TemporaryDirectory();

  const std::string& path() const noexcept { return path_; }
  /// The directory is not removed.
  void keep() noexcept { kept_ = true; }
  /// Removes it now, and says whether that has failed. Suspends.
  Result<void> remove(Deadline deadline = Deadline::never());

 private:
  TemporaryDirectory(std::string path, bool simulated) noexcept
      : path_(std::move(path)), simulated_(simulated) {}
  void remove_at_end() noexcept;

  std::string path_;
  bool kept_ = false;
  bool simulated_ = false;
};

}  // namespace weft::fs
