// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <system_error>

namespace weft::net {

/// The outcome of a call that moves a whole buffer: how many bytes were moved, and why not all of them.
///
///     auto sent = stream.write_all(message);
///     if (!sent) log("lost after", sent.bytes(), sent.error());
class [[nodiscard]] Transfer {
 public:
  Transfer(std::size_t bytes, std::error_code error) noexcept : bytes_(bytes), error_(error) {}

  /// Whether the whole buffer was moved.
  explicit operator bool() const noexcept { return !error_; }
  bool has_value() const noexcept { return !error_; }
  /// Bytes moved, before the error if there was one.
  std::size_t bytes() const noexcept { return bytes_; }
  std::error_code error() const noexcept { return error_; }
  /// `bytes()`, or throws std::system_error.
  std::size_t value() const {
    if (error_) throw std::system_error(error_);
    return bytes_;
  }

 private:
  std::size_t bytes_;
  std::error_code error_;
};

}  // namespace weft::net
