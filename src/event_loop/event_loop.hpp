// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contract of an event loop. Its interface is operations, not readiness: a readiness loop (epoll), a
// completion loop and a simulated one all implement it. docs/design/event-loop.md.
//
// Thread safety: operations are called by fibers of the context the loop belongs to, on any of its threads,
// several at a time. run() and prepare_to_block() are called by one thread at a time: the one with the poll
// duty. interrupt() and the counters: any thread.
//
// Guarantees: an operation tries first and suspends only the calling fiber; it ends by success, by an error
// of the kernel, or with Errc::timed_out, cancelled or closed, whichever came first; a runnable fiber is
// handed out by run() or enqueued in its own context exactly once. With nothing to do, a loop makes no
// syscall (L13).

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/registration/wait_plan.hpp"
#include "event_loop/timers/loop_timers.hpp"
#include "fiber/fiber_queue.hpp"
#include "sys/raw_address.hpp"

#include <weft/buffer_source.hpp>
#include <weft/counters.hpp>
#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft {

/// How a listening socket is made.
struct ListenParameters {
  int backlog = 4096;
  bool reuse_port = false;  ///< several listeners share the port; the kernel spreads connections over them
};

/// A connection taken from a listener, and who connected.
struct Accepted {
  DescriptorHandle handle;
  sys::RawAddress peer;
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // -- operations: by fibers; those with a deadline may suspend ---------------------------------------------
  /// A listening stream socket, bound to `address`.
  virtual Result<DescriptorHandle> listen(const sys::RawAddress& address, const ListenParameters&) = 0;
  /// A listening socket that was made elsewhere: its number becomes the loop's to close. It stays the
  /// caller's if this fails.
  virtual Result<DescriptorHandle> adopt_listener(int fd);
  /// A stream connected to `address`.
  virtual Result<DescriptorHandle> connect(const sys::RawAddress& address, Deadline) = 0;
  /// One pending connection. Errors of the kernel such as EMFILE are passed on.
  virtual Result<Accepted> accept(DescriptorHandle, Deadline) = 0;
  /// The same without waiting: the kernel's "not now" if none is pending. Does not suspend, and does not look
  /// whether the fiber was cancelled.
  virtual Result<Accepted> try_accept(DescriptorHandle) = 0;
  /// Moves at least one byte, or fails with Errc::end_of_file. REQUIRES: some buffer is not empty.
  virtual Result<std::size_t> read(DescriptorHandle, std::span<std::byte>, Deadline) = 0;
  virtual Result<std::size_t> read_vectored(DescriptorHandle, std::span<const iovec>, Deadline) = 0;
  /// As read(), with a buffer that is held only while there may be something to read.
  virtual Result<std::size_t> read_when_ready(DescriptorHandle, BufferSource&, Deadline) = 0;
  /// Moves at least one byte, in the turn to write. REQUIRES: some buffer is not empty.
  Result<std::size_t> write(DescriptorHandle, std::span<const std::byte>, Deadline);
  Result<std::size_t> write_vectored(DescriptorHandle, std::span<const iovec>, Deadline);
  /// The same by who has the turn (WriteTurn): several in one turn are one piece.
  virtual Result<std::size_t> write_in_turn(Descriptor&, std::span<const std::byte>, Deadline) = 0;
  virtual Result<std::size_t> write_vectored_in_turn(Descriptor&, std::span<const iovec>, Deadline) = 0;
  /// Writes all of `data`, as one piece, then reads as read_when_ready(). A write may be put off until the
  /// fiber waits and its thread has nothing else to run; `source` is given back then, so that `data` may lie
  /// in its buffer. REQUIRES: data is not empty.
  virtual Result<std::size_t> write_then_read(DescriptorHandle, std::span<const std::byte> data,
                                              BufferSource&, const ExchangeDeadlines&);
  /// Returns when an operation of that direction would probably not have to wait.
  virtual Result<void> wait_ready(DescriptorHandle, Direction, Deadline) = 0;

  // -- a wait for a descriptor beside other things (a select): by fibers that are its users
  // ------------------
  /// Whether an operation of that direction would not have to wait now. Does not suspend.
  virtual Result<bool> look(Descriptor&, Direction) noexcept = 0;
  /// Before a node is queued, with the descriptor's lock. Unless it is kNothing, carry_out() must follow the
  /// unlock, before the wait, and settle_after_wait() the wait.
  virtual WaitPlan plan_wait_locked(Descriptor&, Direction) noexcept { return {}; }
  /// The same before a watch of the peer is linked (peer_watch.hpp). Errc::unsupported: not of this loop's
  /// kind.
  virtual Result<WaitPlan> plan_watch_locked(Descriptor&) noexcept = 0;
  /// A failure has ended, with kRetry, every wait for the descriptor.
  virtual Result<void> carry_out(Descriptor&, const WaitPlan&) noexcept { return {}; }

  /// Ends one or both directions of a stream; `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
  virtual Result<void> shutdown(DescriptorHandle, int how) = 0;
  /// Ends the file: waiters get Errc::closed. Suspends until the number was given back, which waits for
  /// operations in flight (L9). Not cancellable. Errc::closed if it was closed before.
  virtual Result<void> close(DescriptorHandle) = 0;

  virtual Result<sys::RawAddress> local_address(DescriptorHandle) = 0;
  virtual Result<sys::RawAddress> peer_address(DescriptorHandle) = 0;

  // -- by each thread that runs fibers of the loop's context
  // ------------------------------------------------------
  /// Before its first fiber, and after its last: a simulated loop lends the thread its clock meanwhile.
  virtual void enter_thread() noexcept {}
  virtual void leave_thread() noexcept {}

  // -- driving: by the thread that has the poll duty
  // ----------------------------------------------------------
  /// Announces that run() may block. The caller then looks once more for work, and calls run() or
  /// cancel_block(): whoever published work before it saw the announcement interrupts the loop (S2).
  virtual void prepare_to_block() noexcept = 0;
  virtual void cancel_block() noexcept = 0;
  /// Takes what the kernel and the timers have: fibers of `home` go to `runnable`, others are enqueued in
  /// their own contexts. Blocks until there is something, or until interrupted, if prepare_to_block() came
  /// before; else only looks. Returns the time when it was over.
  virtual std::int64_t run(Home& home, FiberQueue& runnable) noexcept = 0;

  /// Ends a sleep in run(), if there is one, now or soon: no syscall otherwise. Any thread.
  virtual void interrupt() noexcept = 0;

  /// Ends the loop's duties: its descriptors become unowned, their waiters are told to retry in their own
  /// loops, its file is closed when the last mover has left (L15). REQUIRES: no fiber of the loop's own is
  /// left.
  virtual void retire() noexcept = 0;

  /// For reports: the loop is this context's own. Once, before it is used.
  virtual void belong_to(const Home&) noexcept {}

  virtual EventLoopCounters counters() const noexcept = 0;

  LoopTimers& timers() noexcept { return timers_; }

 protected:
  /// The whole of it. The deadline is looked at between the steps, too.
  Result<void> write_all_in_turn(Descriptor&, std::span<const std::byte>, Deadline);

  EventLoop() = default;
  /// A loop whose clock is not the machine's, and says `start_ns` now.
  explicit EventLoop(std::int64_t start_ns) noexcept : timers_(start_ns) {}

  LoopTimers timers_;
};

}  // namespace weft
