// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace weft::sys {

/// Closes a file descriptor. Errors are ignored and EINTR is not retried: on Linux the number has been given
/// back in any case, and a retry could close a file that another thread has just opened.
void close(int fd) noexcept;

/// Owns a file descriptor, or none (-1). Not thread-safe.
class Fd {
 public:
  constexpr Fd() noexcept = default;
  constexpr explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old >= 0 && old != fd) close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace weft::sys
