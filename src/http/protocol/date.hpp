// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

/// The `Date` line of responses, formatted when the second changes and copied otherwise. One per thread.
class DateLine {
 public:
  /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" for a Unix time; valid until the next call.
  std::string_view at(std::int64_t unix_seconds) noexcept {
    if (unix_seconds != seconds_) [[unlikely]]
      format(unix_seconds);
    return {text_.data(), text_.size()};
  }

  static constexpr std::size_t kSize = 37;

 private:
  void format(std::int64_t unix_seconds) noexcept;

  std::int64_t seconds_ = INT64_MIN;
  std::array<char, kSize> text_{};
};

}  // namespace weft::http::protocol
