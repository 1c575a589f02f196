// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fibers open in the world that they live in: sockets and pipes. The kernel's is in
// io/kernel_network.hpp, the simulated one in sim/sim_network.hpp; it is the runner's (network_here() of
// net/). What is done with a descriptor afterwards does not ask the network: the descriptor knows what stands
// behind it.
//
// Thread safety: by fibers, several at a time.

#include "event_loop/network_names.hpp"
#include "sys/raw_address.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace weft {

class FileWorld;

using detail::DescriptorHandle;

/// How a listening socket is made.
struct ListenParameters {
  int backlog = 4096;
  bool reuse_port = false;  ///< several listeners share the port; the kernel spreads connections over them
  std::optional<std::uint32_t> mode = std::nullopt;  ///< permissions of a Unix socket's file
};

/// A connection taken from a listener, and who connected.
struct Accepted {
  DescriptorHandle handle;
  sys::RawAddress peer;
};

/// Two descriptors that belong together: both ends of a connection, or a pipe's reading and writing end.
struct DescriptorPair {
  DescriptorHandle first;
  DescriptorHandle second;
};

/// How a datagram socket is made.
struct DatagramParameters {
  int family = 0;
  std::optional<sys::RawAddress> local = std::nullopt;  ///< where it is bound; none: at the first sending
  std::optional<sys::RawAddress> peer = std::nullopt;   ///< the only one that it talks to
  bool reuse_address = false;
  bool reuse_port = false;
  bool v6_only = false;
  std::string_view device = {};                      ///< the interface that it is bound to
  std::optional<std::uint32_t> mode = std::nullopt;  ///< permissions of a Unix socket's file
};

class Network {
 public:
  /// The names of a simulated world; null: they are asked for outside. Suspends: no.
  virtual const NetworkNames* names() const noexcept { return nullptr; }
  /// A listening stream socket, bound to `address`, of IP or of Unix. Suspends: no.
  virtual Result<DescriptorHandle> listen(const sys::RawAddress& address, const ListenParameters&) = 0;
  /// A stream connected to `address`. Suspends.
  virtual Result<DescriptorHandle> connect(const sys::RawAddress& address, Deadline) = 0;
  /// One pending connection of a listener. Errors of the kernel such as EMFILE are passed on. Suspends.
  virtual Result<Accepted> accept(DescriptorHandle, Deadline) = 0;
  /// The same without waiting: the kernel's "not now" if none is pending. Does not look whether the fiber was
  /// cancelled. Suspends: no.
  virtual Result<Accepted> try_accept(DescriptorHandle) = 0;
  /// Two Unix stream sockets, connected to each other. Suspends: no.
  virtual Result<DescriptorPair> make_socket_pair() = 0;
  /// Suspends: no.
  virtual Result<DescriptorPair> make_pipe() = 0;
  /// A datagram socket, of IP or of Unix. Suspends: no.
  virtual Result<DescriptorHandle> open_datagram(const DatagramParameters&) = 0;
  /// Two Unix datagram sockets, connected to each other. Suspends: no.
  virtual Result<DescriptorPair> make_datagram_pair() = 0;
  /// The files of a simulated world; null: there are none. Any thread.
  virtual std::shared_ptr<FileWorld> files() { return nullptr; }

 protected:
  ~Network() = default;
};

}  // namespace weft
