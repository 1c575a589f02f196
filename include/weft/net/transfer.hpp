// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <string>
#include <system_error>

namespace weft::net {

/// The outcome of a call that moves a whole buffer: how many bytes were moved, and why not all of them.
///
///     auto sent = stream.write_all(message);
///     if (!sent) log("lost after", sent.bytes(), sent.error());
///
/// A function that returns one for with_timeout(), all(), race(), a TaskGroup or a join gives them a
/// `Result<std::size_t>`: all the bytes, or the error; how many were moved before it is not told then.
class [[nodiscard]] Transfer {
 public:
  Transfer(std::size_t bytes, Result<void> outcome) noexcept : bytes_(bytes), outcome_(outcome) {}

  /// Whether the whole buffer was moved.
  explicit operator bool() const noexcept { return outcome_.has_value(); }
  bool has_value() const noexcept { return outcome_.has_value(); }
  /// Bytes moved, before the error if there was one.
  std::size_t bytes() const noexcept { return bytes_; }
  std::error_code error() const noexcept { return outcome_.error(); }
  /// As those of a Result.
  std::string message() const { return outcome_.message(); }
  detail::Failure failure() const noexcept { return outcome_.failure(); }
  /// `bytes()`, or throws std::system_error.
  std::size_t value() const {
    outcome_.value();
    return bytes_;
  }

 private:
  std::size_t bytes_;
  Result<void> outcome_;
};

}  // namespace weft::net
