// SPDX-License-Identifier: Apache-2.0
#pragma once

// An error with a text that says what it is about. Internal: this header may change at any time.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace weft::detail {

/// An error code and the number of its text, 0 for none. A std::error_code has no room for an address, but a
/// result has 32 bits of padding. The texts are kept elsewhere, the latest ones only. A number never leads to
/// the text of another error.
struct Failure {
  std::error_code error;
  std::uint32_t text = 0;
};

/// Copies `doing` and `what` ("listening at", "[::1]:80"), cut to 151 bytes together. Any thread may call it.
Failure failure_about(std::error_code error, std::string_view doing, std::string_view what) noexcept;

/// "listening at [::1]:80: Address already in use". Only the second half if the text is no longer kept.
std::string message_of(const Failure& failure);

/// Called by value() without a value: throws std::system_error, or ends a program without exceptions.
[[noreturn, gnu::cold]] void throw_failure(const Failure& failure);
[[noreturn, gnu::cold]] void end_by_failure(const Failure& failure) noexcept;

[[noreturn, gnu::cold]] void no_error() noexcept;

/// BUG if `failure` is no error: a result made from it would hold neither a value nor an error.
inline const Failure& require_error(const Failure& failure) noexcept {
  if (!failure.error) [[unlikely]]
    no_error();
  return failure;
}

[[noreturn, gnu::cold]] inline void no_value(const Failure& failure) {
#if defined(__cpp_exceptions)
  throw_failure(failure);
#else
  end_by_failure(failure);
#endif
}

}  // namespace weft::detail
