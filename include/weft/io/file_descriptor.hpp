// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace weft::io {

/// Owns the number of an open file, or none (-1), and closes it. No call suspends; any thread may use it, one
/// at a time.
class FileDescriptor {
 public:
  constexpr FileDescriptor() noexcept = default;
  /// Owns `fd` from now on.
  constexpr explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    const int other_fd = other.release();
    reset();
    fd_ = other_fd;
    return *this;
  }
  ~FileDescriptor() { reset(); }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// The number, which this object still owns; -1 if there is none.
  int get() const noexcept { return fd_; }
  /// The number, which the caller owns from now on.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes the file, if there is one.
  void reset() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace weft::io
