// SPDX-License-Identifier: Apache-2.0
#pragma once

// An error with what it is about. No promises about this header.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace weft::detail {

/// A std::error_code has no room for the address that was meant. A result has 32 bits of padding: the number
/// of a text that is kept elsewhere, among the last ones; 0 is none. Kept or not, a text is never another
/// error's.
struct Failure {
  std::error_code error;
  std::uint32_t text = 0;
};

/// `doing` and `what` ("listening at", "[::1]:80") are copied, cut to 119 bytes together. Any thread.
Failure failure_about(std::error_code error, std::string_view doing, std::string_view what) noexcept;

/// "listening at [::1]:80: Address already in use"; without its text, if that is not kept any more.
std::string message_of(const Failure& failure);

/// For a value() that there is none of: a std::system_error, or the end of a program without exceptions.
[[noreturn, gnu::cold]] void throw_failure(const Failure& failure);
[[noreturn, gnu::cold]] void end_by_failure(const Failure& failure) noexcept;

[[noreturn, gnu::cold]] void no_error() noexcept;

/// A result that is made from the failure() of a success would hold neither a value nor an error: a BUG.
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
