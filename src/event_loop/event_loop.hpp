// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contract of an event loop: it drives. What fibers do with descriptors is not its business, but that of
// the operations (operation/files.hpp), which are the same over every loop; a loop knows how to be told when
// a descriptor is ready (registration/registrar.hpp), and what there is to be opened in its world
// (network.hpp). docs/design/event-loop.md.
//
// Thread safety: run() and prepare_to_block() are called by one thread at a time: the one with the poll duty.
// interrupt() and the counters: any thread.
//
// Guarantees: a runnable fiber is handed out by run() or enqueued in its own context exactly once. With
// nothing to do, a loop makes no syscall (L13).

#include "event_loop/registration/registrar.hpp"
#include "event_loop/timers/loop_timers.hpp"
#include "fiber/fiber_queue.hpp"

#include <weft/counters.hpp>

#include <cstdint>
#include <memory>

namespace weft {

class CompletionRing;
class Home;
class Network;
class Runner;

class EventLoop : public Registrar {
 public:
  virtual ~EventLoop() = default;

  // -- by each thread that runs fibers of the loop's context
  /// Before its first fiber, and after its last: a simulated loop lends the thread its clock meanwhile.
  virtual void enter_thread() noexcept {}
  virtual void leave_thread() noexcept {}

  // -- driving: by the thread that has the poll duty
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

  /// Where fibers of the loop hand requests to file systems over; null: there is no such thing. The first
  /// call makes it. Any thread that runs fibers of the loop.
  virtual std::shared_ptr<CompletionRing> completions() noexcept { return nullptr; }

  virtual EventLoopCounters counters() const noexcept = 0;

  LoopTimers& timers() noexcept { return timers_; }
  /// The network of a world of its own; null: the kernel's.
  Network* network() const noexcept { return network_; }

 protected:
  explicit EventLoop(LoopId id) noexcept : Registrar(id) {}
  /// A loop with a world of its own, whose clock says `start_ns` now. It registers nothing.
  EventLoop(Network& network, std::int64_t start_ns) noexcept
      : Registrar(LoopId()), network_(&network), timers_(start_ns) {}

 private:
  Network* const network_ = nullptr;

 protected:
  LoopTimers timers_;
};

/// Fibers that `runner` runs wait in `loop` from now on.
void attach(Runner& runner, EventLoop& loop) noexcept;

}  // namespace weft
