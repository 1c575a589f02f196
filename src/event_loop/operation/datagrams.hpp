// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fibers do with sockets that move messages: the same over every event loop and world. A message moves
// whole or not at all, so nothing is lost by a cancel or a deadline: the attempt is the fiber's own.
//
// Thread safety, guarantees: those of Files. An error that the network reports (ICMP) is taken by one call;
// all that wait are woken by it, try again, and wait again (L5): its edge comes once.

#include "event_loop/descriptor/descriptor.hpp"
#include "sys/raw_address.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/socket.h>

namespace weft {

class Datagrams {
 public:
  /// One message; the flags are those of recvmsg. The call answers as recvmsg does: 0 is an empty message.
  static Result<std::size_t> receive(DescriptorHandle, msghdr&, int flags, Deadline);
  static Result<std::size_t> send(DescriptorHandle, const msghdr&, Deadline);
  /// The same with one buffer and without control data, which is cheaper. `name` has room for `name_size`
  /// bytes; null, 0: nobody asks, or the peer.
  static Result<std::size_t> receive_from(DescriptorHandle, std::span<std::byte>, int flags, sockaddr* name,
                                          socklen_t& name_size, Deadline);
  static Result<std::size_t> send_to(DescriptorHandle, std::span<const std::byte>, const sockaddr* name,
                                     socklen_t name_size, Deadline);
  /// As many as there are, at least one: their number. A number below that of `messages` proves that the
  /// socket was empty, so the next call waits without an attempt (L2).
  static Result<std::size_t> receive_several(DescriptorHandle, std::span<mmsghdr> messages, int flags,
                                             Deadline);
  /// The first of them, as many as there is room for, at least one: their number.
  static Result<std::size_t> send_several(DescriptorHandle, std::span<mmsghdr> messages, Deadline);
  /// As send(), for a receiver whose room gives no edge: false says "not now".
  static Result<bool> send_or_full(DescriptorHandle, const msghdr&, Deadline);
  /// As send(), by who has the turn to write (WriteTurn): of a stream, the first bytes.
  static Result<std::size_t> send_in_turn(Descriptor&, const msghdr&, Deadline);

  // -- any thread, of the kernel's sockets; none suspends
  /// Names the only peer; an address of AF_UNSPEC takes the name away.
  static Result<void> name_peer(DescriptorHandle, const sys::RawAddress&);
  static Result<void> set_option(DescriptorHandle, int level, int name, int value);
  static Result<void> set_option(DescriptorHandle, int level, int name, std::span<const std::byte> value);
  static Result<int> option(DescriptorHandle, int level, int name);
};

}  // namespace weft
