// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace weft {

/// The errors that weft itself reports. Errors of the kernel keep their `errno` in `std::system_category()`.
///
/// Each value also compares equal to the closest portable `std::errc` (see `error.cpp`), so
/// `error == std::errc::timed_out` works as well as `error == weft::Errc::timed_out`.
enum class Errc {
  end_of_file = 1,    ///< the peer finished sending; nothing more will be read
  closed,             ///< the object was closed, by this program, before or during the call
  timed_out,          ///< the deadline passed first
  cancelled,          ///< the fiber, or the scope around the call, was cancelled
  invalid_address,    ///< the text is not an address that the call can parse
  address_not_found,  ///< the name is valid, but has no address
  message_too_large,  ///< a limit on the size of a message was exceeded
  malformed_message,  ///< the peer has violated the protocol
  unsupported,        ///< this event loop, kernel or descriptor does not support the call
  would_block,        ///< a call that never waits would have to wait
  lagged,             ///< the receiver was too slow and has lost values
};

/// The category of `Errc`, named "weft".
const std::error_category& error_category() noexcept;

inline std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace weft

template <>
struct std::is_error_code_enum<weft::Errc> : std::true_type {};
