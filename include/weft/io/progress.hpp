// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <string>
#include <system_error>

namespace weft::io {

/// The result of a call that reads or writes a whole buffer: the number of bytes that were moved, and the
/// error if that is not all of them.
///
///     auto sent = stream.write_all(message);
///     if (!sent) log("lost after", sent.bytes(), sent.error());
///
/// with_timeout(), all(), race(), TaskGroup and join() turn it into a `Result<std::size_t>`: the number of
/// all bytes, or the error. The number of bytes before an error is lost there.
class [[nodiscard]] Progress {
 public:
  Progress(std::size_t bytes, Result<void> outcome) noexcept : bytes_(bytes), outcome_(outcome) {}

  /// True if the whole buffer was moved.
  explicit operator bool() const noexcept { return outcome_.has_value(); }
  bool has_value() const noexcept { return outcome_.has_value(); }
  /// The number of bytes that were moved, before the error if there was one.
  std::size_t bytes() const noexcept { return bytes_; }
  std::error_code error() const noexcept { return outcome_.error(); }
  /// Like those of a Result.
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

}  // namespace weft::io
