// SPDX-License-Identifier: Apache-2.0
#include "io/kernel_datagram.hpp"

#include "sys/errors.hpp"
#include "sys/file.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

#include <netinet/in.h>
#include <sys/un.h>

namespace weft::io {
namespace {

Result<void> set_before_bind(int fd, const DatagramParameters& parameters) noexcept {
  if (parameters.family == AF_INET6) {  // whatever the system's default is
    if (auto set = sys::set_v6_only(fd, parameters.v6_only); !set) return set;
  }
  if (parameters.reuse_address) {
    if (auto set = sys::set_reuse_address(fd, true); !set) return set;
  }
  if (parameters.reuse_port) {
    if (auto set = sys::set_reuse_port(fd, true); !set) return set;
  }
  if (parameters.device.empty()) return {};
  return sys::set_option(fd, SOL_SOCKET, SO_BINDTODEVICE,
                         std::as_bytes(std::span(parameters.device.data(), parameters.device.size())));
}

Result<void> name_peer(int fd, const std::optional<sys::RawAddress>& peer) noexcept {
  if (!peer) return {};
  const Result<bool> connected = sys::connect(fd, *peer);
  return connected ? Result<void>() : connected.error();
}

/// What comes after bind(): a file that was made is removed if it fails.
Result<void> finish(int fd, const char* file, const DatagramParameters& parameters) noexcept {
  if (file != nullptr && parameters.mode) {
    if (auto set = sys::change_mode(file, *parameters.mode); !set) return set;
  }
  return name_peer(fd, parameters.peer);
}

}  // namespace

Result<sys::Fd> create_datagram_socket(const DatagramParameters& parameters) noexcept {
  Result<sys::Fd> fd = sys::create_socket(parameters.family, SOCK_DGRAM);
  if (!fd) return fd.error();
  if (auto set = set_before_bind(fd->get(), parameters); !set) return set.error();
  if (parameters.local) {
    if (auto bound = sys::bind(fd->get(), *parameters.local); !bound) return bound.error();
  }
  const sockaddr_un local =
      parameters.local && parameters.family == AF_UNIX ? parameters.local->as<sockaddr_un>() : sockaddr_un{};
  const char* const file = local.sun_path[0] != '\0' ? local.sun_path : nullptr;
  if (const Result<void> done = finish(fd->get(), file, parameters); !done) {
    if (file != nullptr) [[maybe_unused]]
      const Result<void> removed = sys::unlink(file);
    return done.error();
  }
  return fd;
}

}  // namespace weft::io
