// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file of a bound Unix socket. Internal: this header may change at any time.

#include <cstdint>
#include <string>
#include <utility>

namespace weft::detail {

/// The file that binding has made at a path. It is removed only if the path still leads to it. Not
/// thread-safe.
class SocketFile {
 public:
  SocketFile() noexcept = default;
  /// The file that was made at `path` a moment ago.
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        process_(other.process_),
        device_(other.device_),
        inode_(other.inode_) {}
  SocketFile& operator=(SocketFile&& other) noexcept {
    path_ = std::exchange(other.path_, {});
    process_ = other.process_;
    device_ = other.device_;
    inode_ = other.inode_;
    return *this;
  }
  ~SocketFile() = default;

  /// Removes it, once. A child of fork() leaves its parent's file alone.
  void remove() noexcept;

 private:
  std::string path_;
  std::uint32_t process_ = 0;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace weft::detail
