// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cerrno>
#include <cstddef>
#include <system_error>

// From the kernel's answers to results. A raw answer is what the kernel itself returns: a count or 0, or the
// negated errno. No function here reads `errno`, so all may be inlined anywhere.

namespace weft::sys {

inline std::error_code error_of(int errno_value) noexcept { return {errno_value, std::system_category()}; }

/// True for the kernel's "not now" (EAGAIN, which is EWOULDBLOCK on Linux). Two comparisons, where
/// `error == std::errc::operation_would_block` costs two virtual calls.
inline bool would_block(const std::error_code& error) noexcept {
  static_assert(EAGAIN == EWOULDBLOCK);
  return error.value() == EAGAIN && error.category() == std::system_category();
}

/// True if the error is exactly this errno of the kernel.
inline bool is_errno(const std::error_code& error, int errno_value) noexcept {
  return error.value() == errno_value && error.category() == std::system_category();
}

inline Result<std::size_t> size_result(long raw) noexcept {
  if (raw < 0) [[unlikely]]
    return error_of(static_cast<int>(-raw));
  return static_cast<std::size_t>(raw);
}

inline Result<void> void_result(long raw) noexcept {
  if (raw < 0) [[unlikely]]
    return error_of(static_cast<int>(-raw));
  return {};
}

}  // namespace weft::sys
