// SPDX-License-Identifier: Apache-2.0
#pragma once

// The generic half of every event loop that is told when descriptors become ready
// (docs/design/event-loop.md). A platform adds six verbs: add, modify, remove, poll, notify,
// set_alarm.
//
// Thread safety: as event_loop.hpp says. Protocols: readiness and waiters (docs/design/descriptor.md),
// ownership and its transfer (P2, the same page), sleep and interruption (docs/design/idle.md).
//
// Guarantees: L2 the syscall is tried first; L7 a wait never fails because the descriptor belongs to another
// loop. When a descriptor is registered and who may take it over is the loop's policy (registration.hpp); the
// default's is L1: added once, when a fiber of this loop first has to wait on it, and never modified.

#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/loop_counters.hpp"
#include "event_loop/polling/sleep_word.hpp"
#include "event_loop/polling/spin_policy.hpp"
#include "event_loop/registration/loop_id.hpp"
#include "event_loop/registration/registration.hpp"

#include <cstdint>
#include <new>
#include <system_error>

namespace weft {

/// What an event said; a set of flags.
struct Signals {
  bool read = false;     ///< data, end of file, or a pending connection
  bool write = false;    ///< room to write, or connected
  bool unusual = false;  ///< urgent data, a hang-up or an error: short counts prove nothing any more
  bool hang_up = false;  ///< a hang-up or an error: everybody is woken (L5)
};

class PollingEventLoop : public EventLoop {
 public:
  /// Retires the loop, if nobody did.
  ~PollingEventLoop() override;

  WaitPlan plan_watch_locked(Descriptor&) noexcept final;
  Result<void> carry_out(Descriptor&, const WaitPlan&) noexcept final;
  void opened(Descriptor&) noexcept final;

  void prepare_to_block() noexcept final;
  void cancel_block() noexcept final;
  std::int64_t run(Home& home, FiberQueue& runnable) noexcept final;
  void interrupt() noexcept final;
  void retire() noexcept final;
  EventLoopCounters counters() const noexcept final { return counters_.snapshot(); }

  /// In a child of fork(): the kernel's half of the loop is the parent's.
  void become_inherited() noexcept {
    inherited_ = true;
    new (&timers_) LoopTimers();
  }

  void belong_to(const Home& home) noexcept final { owner_home_.store(&home, release); }
  /// The context whose own this loop is, null if there is none. By who has the loop pinned.
  const Home* home() const noexcept { return owner_home_.load(acquire); }

  // -- registering, for the policies: any thread that has the loop pinned
  /// Adds the descriptor for `edges`.
  Result<void> watch(const Descriptor&, Edges edges) noexcept;
  /// Changes the edges of one that was added.
  Result<void> watch_instead(const Descriptor&, Edges edges) noexcept;
  /// Takes a file off the loop.
  void forget(int fd) noexcept;
  /// Its number among the loops of a broadcast; 0 if it takes part in none.
  std::uint64_t birth() const noexcept { return birth_.load(acquire); }
  void set_birth(std::uint64_t birth) noexcept { birth_.store(birth, release); }

 protected:
  explicit PollingEventLoop(const RegistrationPolicy& policy = transfer_policy()) noexcept;
  /// By who has made the loop, once it is complete: others may register descriptors with it from now on.
  void announce() noexcept;

  /// The verbs must not reach the kernel (F2).
  bool inherited() const noexcept { return inherited_; }

  // -- the platform's six verbs; none is called under a lock
  /// Registers for `edges`, hang-ups and errors, with `data` to come back in deliver().
  virtual Result<void> add(int fd, std::uint64_t data, Edges edges) noexcept = 0;
  /// Changes what add() said. What is ready is reported anew.
  virtual Result<void> modify(int fd, std::uint64_t data, Edges edges) noexcept = 0;
  /// Undoes add(); nothing happens if the kernel has forgotten the fd already.
  virtual void remove(int fd) noexcept = 0;
  /// Calls deliver() for each event there is, waiting up to `timeout_ns` (0: only looks, negative: for ever)
  /// for the first. Returns how many there were; interruptions do not count.
  virtual std::size_t poll(std::int64_t timeout_ns) noexcept = 0;
  /// Makes a poll that waits, or the next one, return.
  virtual void notify() noexcept = 0;
  /// Makes a poll return at that time of the clock, or the next one after it, with a call of alarm_rang()
  /// before; replaces an alarm that was set. False: there are no alarms.
  virtual bool set_alarm([[maybe_unused]] std::int64_t time_ns) noexcept { return false; }

  /// The event with this data comes soon, or sooner.
  void prefetch_descriptor(std::uint64_t data) noexcept { arena_.prefetch(static_cast<std::uint32_t>(data)); }
  void prefetch_waiter(std::uint64_t data) noexcept {
    arena_.prefetch_waiter(static_cast<std::uint32_t>(data));
  }
  /// Acts on one event. Called by poll().
  void deliver(std::uint64_t data, Signals signals) noexcept;
  /// After deliver(), if the event said so: the peer's end.
  [[gnu::cold]] void deliver_end(std::uint64_t data, PeerEnd end) noexcept;
  void alarm_rang() noexcept { alarm_ns_ = TimerQueue::kNever; }
  /// Fibers of the context that polls go to the poller's own queue, the others to their own contexts. Called
  /// by poll().
  void hand_out(FiberQueue& won) noexcept;
  /// Ends what is under way in the loop, before it is disowned. By retire().
  virtual void end_completions() noexcept {}

 private:
  // -- registering (polling_registration.cpp)
  WaitPlan plan_wait_slow_locked(Descriptor&, Direction) noexcept final;
  Result<void> transfer(Descriptor&, const Registered& from) noexcept;
  void adopt_inherited_locked(Descriptor&) noexcept;
  bool abandon_move(Descriptor&, const Registered& from) noexcept;

  // -- running (polling_run.cpp)
  std::int64_t poll_or_block() noexcept;
  bool spin() noexcept;
  std::int64_t block() noexcept;
  std::int64_t timeout_until(std::int64_t next_ns) noexcept;
  std::size_t poll_counted(std::int64_t timeout_ns) noexcept;
  [[gnu::cold, gnu::noinline]] void deliver_to_many(Descriptor&, Signals, FiberQueue& won,
                                                    SpinLock&) noexcept;
  [[gnu::noinline]] void deliver_across(Descriptor&, FiberQueue& won, SpinLock&) noexcept;
  std::uint32_t count_wakeups_locked(Descriptor&, const FiberQueue& won) noexcept;
  void expire_timers(std::int64_t now) noexcept;

  DescriptorArena& arena_;
  const RegistrationPolicy& policy_;
  Atomic<std::uint64_t> birth_{0};
  Atomic<const Home*> owner_home_{nullptr};
  bool retired_ = false;
  bool inherited_ = false;

  // Written by whoever has the poll duty, valid inside run().
  Home* home_ = nullptr;
  FiberQueue* runnable_ = nullptr;
  std::int64_t alarm_ns_ =
      TimerQueue::kNever;  // when the alarm that was set will ring, kNever: there is none
  std::uint32_t blocks_ = 0;
  SpinPolicy spin_policy_;

  LoopCounters counters_;

  // Written by the sleeper and by those who interrupt it.
  alignas(kCacheLine) SleepWord sleep_;
};

}  // namespace weft
