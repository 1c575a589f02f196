// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/readiness.hpp"
#include "sys/raw_address.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft {

class Network;

/// What stands behind a descriptor that is not a file of the kernel's: for each system call that an operation
/// makes on a file, a function that answers as the kernel does, EAGAIN included.
class DescriptorBackend {
 public:
  virtual Result<std::size_t> read(std::span<const iovec> buffers) = 0;
  virtual Result<std::size_t> write(std::span<const iovec> buffers) = 0;
  /// EAGAIN: an operation of that direction would have to wait.
  virtual Result<void> look(Direction direction) = 0;
  virtual Result<void> shutdown(int how) = 0;
  virtual Result<sys::RawAddress> local_address() = 0;
  virtual Result<sys::RawAddress> peer_address() = 0;

  // -- of a socket that moves messages; of all others Errc::unsupported
  virtual Result<std::size_t> receive_message(msghdr& message, int flags);
  virtual Result<std::size_t> send_message(const msghdr& message);
  /// Names the peer of a datagram socket; an address of the family AF_UNSPEC takes the name away.
  virtual Result<void> name_peer(const sys::RawAddress& address);
  virtual Result<void> set_option(int level, int name, std::span<const std::byte> value);
  virtual Result<int> option(int level, int name);

  /// The file has been closed and its last user has left (L9): what closing does for a kernel's file.
  /// Called once, before the record may stand for another file, without a lock. Any thread. Suspends: no.
  virtual void end() noexcept = 0;

  /// The world that it belongs to: fibers of others cannot use it.
  const Network* network() const noexcept { return world_; }

 protected:
  explicit DescriptorBackend(const Network* world) noexcept : world_(world) {}
  ~DescriptorBackend() = default;

 private:
  const Network* const world_;
};

}  // namespace weft
