// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fibers do with descriptors: the same over every event loop, as the descriptor knows what stands behind
// it and the loop only says when it is ready. docs/design/event-loop.md, "an operation".
//
// Thread safety: by fibers of any context, several at a time on one descriptor. Must be called in a fiber.
//
// Guarantees: an operation tries first and suspends only the calling fiber (L2); it ends by success, by an
// error of the kernel, or with Errc::timed_out, cancelled or closed, whichever came first. A wait never fails
// because the descriptor belongs to another loop (L7). Errc::unsupported: a descriptor of another world.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/operation/operation.hpp"
#include "event_loop/write_batch/write_word.hpp"
#include "sys/fd.hpp"
#include "sys/raw_address.hpp"

#include <weft/buffer_source.hpp>
#include <weft/deadline.hpp>
#include <weft/exchange_deadlines.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft {

struct WriteSlot;
class WriteTurn;

class Files {
 public:
  /// A descriptor for a file of the kernel's, which must be non-blocking. It stays the caller's if this
  /// fails.
  static Result<DescriptorHandle> adopt(sys::Fd& fd, DescriptorKind kind) noexcept;
  /// The same for a socket that is being connected: writing waits for the first edge.
  static Result<DescriptorHandle> adopt_connecting(sys::Fd& fd, DescriptorKind kind) noexcept;

  /// Moves at least one byte, or fails with Errc::end_of_file. REQUIRES: some buffer is not empty.
  static Result<std::size_t> read(DescriptorHandle, std::span<std::byte>, Deadline);
  static Result<std::size_t> read_vectored(DescriptorHandle, std::span<const iovec>, Deadline);
  /// As read(), with a buffer that is held only while there may be something to read.
  static Result<std::size_t> read_when_ready(DescriptorHandle, BufferSource&, Deadline);

  /// Moves at least one byte, in the turn to write. REQUIRES: some buffer is not empty.
  static Result<std::size_t> write(DescriptorHandle, std::span<const std::byte>, Deadline);
  static Result<std::size_t> write_vectored(DescriptorHandle, std::span<const iovec>, Deadline);
  /// The same by who has the turn (WriteTurn): several in one turn are one piece.
  static Result<std::size_t> write_in_turn(Descriptor&, std::span<const std::byte>, Deadline);
  static Result<std::size_t> write_vectored_in_turn(Descriptor&, std::span<const iovec>, Deadline);

  /// Writes all of `data`, as one piece, then reads as read_when_ready(). A write may be put off until the
  /// fiber waits and its thread has nothing else to run (docs/design/write-batch.md); `source` is given back
  /// then, so that `data` may lie in its buffer. REQUIRES: data is not empty.
  static Result<std::size_t> write_then_read(DescriptorHandle, std::span<const std::byte> data, BufferSource&,
                                             const ExchangeDeadlines&);

  /// Makes any other operation, with the waits, turns and deadline of all.
  static Result<void> perform(DescriptorHandle, Operation&, Deadline);
  /// Tries once: it does not wait, and does not look whether the fiber was cancelled. It may take what
  /// another waiter was woken for, which then finds nothing and waits again. Suspends: no.
  static Result<void> try_once(DescriptorHandle, Operation&);

  /// Returns when an operation of that direction would probably not have to wait.
  static Result<void> wait_ready(DescriptorHandle, Direction, Deadline);
  /// Whether an operation of that direction would not have to wait now. Suspends: no.
  static Result<bool> look(Descriptor&, Direction) noexcept;

  /// Ends one or both directions of a socket; `how` is SHUT_RD, SHUT_WR or SHUT_RDWR. Any thread, of the
  /// kernel's sockets. Suspends: no.
  static Result<void> shutdown(DescriptorHandle, int how);
  static Result<sys::RawAddress> local_address(DescriptorHandle);
  static Result<sys::RawAddress> peer_address(DescriptorHandle);

 private:
  static Result<std::size_t> read_when_ready(Descriptor&, BufferSource&, Deadline, WriteTurn* turn);
  static Result<void> write_all_in_turn(Descriptor&, std::span<const std::byte>, Deadline);
  static Result<void> write_and_wait(WriteTurn&, std::span<const std::byte>, BufferSource&,
                                     const ExchangeDeadlines&);
  static Result<void> finish_write(Descriptor&, WriteSlot&, WriteTicket, Deadline);
};

}  // namespace weft
