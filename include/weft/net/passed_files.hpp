// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/io/file_descriptor.hpp>

#include <cstddef>
#include <vector>

namespace weft::detail {
struct FilesAccess;
}  // namespace weft::detail

namespace weft::net {

class PassedFiles;

/// Open files that came with a message over a Unix socket. It owns them: what is not taken is closed with it,
/// and before it is used again. Each file is close-on-exec. Not thread-safe.
///
///     weft::net::PassedFiles files(1);                    // no more than one is wanted
///     auto size = stream.receive_with_files(buffer, files).value();
///     if (files.size() == 1 && !files.truncated()) use(files.take(0));
class PassedFiles {
 public:
  /// As many as one message can carry.
  static constexpr std::size_t kFilesMax = 253;

  /// Takes at most `capacity` files of a message, 0 to kFilesMax; the kernel closes the others.
  explicit PassedFiles(std::size_t capacity = kFilesMax);

  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept { return files_.size(); }
  bool empty() const noexcept { return files_.empty(); }
  /// More files were sent than there was room for, or this process may not open more. The others are lost.
  bool truncated() const noexcept { return truncated_; }

  /// The number, which this object still owns; -1 if it was taken. REQUIRES: `index < size()`.
  int operator[](std::size_t index) const noexcept { return files_[index].get(); }
  /// Gives a file away; size() stays. REQUIRES: `index < size()`.
  io::FileDescriptor take(std::size_t index) noexcept { return std::move(files_[index]); }
  /// Closes what was not taken.
  void clear() noexcept;

 private:
  friend struct weft::detail::FilesAccess;
  std::size_t capacity_;
  bool truncated_ = false;
  std::vector<io::FileDescriptor> files_;
};

}  // namespace weft::net
