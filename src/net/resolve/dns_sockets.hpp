// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

struct ares_socket_functions;

namespace weft::net {

/// What was seen on the way, which c-ares does not tell.
struct DnsTrace {
  std::error_code broken;    ///< a shortage: EMFILE, ENOMEM
  bool unreachable = false;  ///< nobody listens at a server's port
  int failed_rcode = 0;      ///< of the last reply over UDP that c-ares goes to the next server for
};

/// System calls for c-ares, which are weft's: sockets are close-on-exec from the start, no write raises
/// SIGPIPE, and tests can make each of them fail. Their user data is a `DnsTrace*`. None suspends.
const ares_socket_functions* dns_socket_functions() noexcept;

}  // namespace weft::net
