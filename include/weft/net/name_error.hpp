// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace weft::net {

/// Why a name could not be resolved. `Result::message()` also says which name. An expired deadline is
/// `weft::Errc::timed_out`, and text that is no name is `weft::Errc::invalid_address`.
enum class NameErrc {
  not_found = 1,      ///< there is no such name (NXDOMAIN)
  no_address,         ///< the name exists, but has no address of the family asked for
  server_failure,     ///< the name servers failed to answer (SERVFAIL)
  no_reply,           ///< no name server answered in time, after all tries
  refused,            ///< the name servers refused to answer, or cannot be reached
  malformed_reply,    ///< the reply violates the protocol, or a name server called the query malformed
  unknown_service,    ///< the service has no port number, see services(5)
  bad_configuration,  ///< the resolver's options or /etc/resolv.conf are invalid
};

/// The category of `NameErrc`, named "weft.names".
const std::error_category& name_error_category() noexcept;

inline std::error_code make_error_code(NameErrc code) noexcept {
  return {static_cast<int>(code), name_error_category()};
}

}  // namespace weft::net

template <>
struct std::is_error_code_enum<weft::net::NameErrc> : std::true_type {};
