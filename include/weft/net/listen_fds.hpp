// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <string>
#include <vector>

namespace weft::net {

/// A socket that was passed to the process at its start, and its name.
struct ListenFd {
  int fd;
  std::string name;  ///< from LISTEN_FDNAMES; empty if there is none
};

/// The sockets that socket activation passed to this process, by the protocol of systemd. LISTEN_FDS is the
/// number of sockets; the first is descriptor 3. LISTEN_PID names the process that they are meant for. The
/// result is empty if no sockets were passed, or if they are meant for another process. Sets FD_CLOEXEC on
/// each, so that child processes do not inherit them. The caller owns the descriptors: adopt each with
/// TcpListener::adopt(), once.
///
///     const std::vector<weft::net::ListenFd> passed = weft::net::listen_fds().value();
///     for (const weft::net::ListenFd& each : passed)
///       server.start(weft::net::TcpListener::adopt(each.fd).value()).value();
///
/// Errors: EINVAL (LISTEN_FDS is not a number from 0 on), EBADF (a descriptor is not open). Does not suspend.
/// Any thread may call it, while no thread changes the environment.
Result<std::vector<ListenFd>> listen_fds();

}  // namespace weft::net
