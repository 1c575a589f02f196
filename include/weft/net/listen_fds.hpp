// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <string>
#include <vector>

namespace weft::net {

/// A descriptor that the process was started with, and its name.
struct ListenFd {
  int fd;
  std::string name;  ///< of LISTEN_FDNAMES; empty if there is none
};

/// The sockets that were passed to this process by socket activation, as systemd does it: LISTEN_FDS is their
/// number, from descriptor 3 on, and LISTEN_PID the process they are for. Empty if none were, or they are for
/// another process. Sets FD_CLOEXEC on each, so that no child of the process has them by mistake. They are
/// the caller's: adopt each with TcpListener::adopt(), once.
///
///     const std::vector<weft::net::ListenFd> passed = weft::net::listen_fds().value();
///     for (const weft::net::ListenFd& each : passed)
///       server.start(weft::net::TcpListener::adopt(each.fd).value()).value();
///
/// Errors: EINVAL (LISTEN_FDS is no number from 0 on), EBADF (a descriptor that is not there). Does not
/// suspend. Any thread, while nobody changes the environment.
Result<std::vector<ListenFd>> listen_fds();

}  // namespace weft::net
