// SPDX-License-Identifier: Apache-2.0
// How a polling loop is driven: spin, sleep, deliver, expire. The protocol of sleep_ is docs/design/idle.md.
#include "base/clock.hpp"
#include "base/saturating.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/migration/migration_note.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "sys/thread.hpp"

#include <algorithm>
#include <mutex>

namespace weft {
namespace {

/// A blocking poll that took longer than this has slept: a system call that finds events at once takes less.
constexpr std::int64_t kSleptNs = 8'000;

/// One of so many blocking polls is timed, to see whether it slept: the clock costs 25 ns and more.
constexpr std::uint32_t kPollsForATimedOne = 7;

/// A deadline that far away is worth an alarm.
constexpr std::int64_t kAlarmNs = 50'000'000;

}  // namespace

void PollingEventLoop::prepare_to_block() noexcept { sleep_.announce(); }

void PollingEventLoop::cancel_block() noexcept { sleep_.withdraw(); }

void PollingEventLoop::interrupt() noexcept {
  if (!sleep_.interrupt()) return;
  counters_.interrupts.add();
  notify();
}

std::int64_t PollingEventLoop::run(Home& home, FiberQueue& runnable) noexcept {
  home_ = &home;
  runnable_ = &runnable;
  // The clock is read once after the poll, for all who want to know.
  const std::int64_t now = poll_or_block();
  if (spin_policy_.window_over(now)) [[unlikely]] {
    spin_policy_.decide(now, {sys::thread_cpu_ns(), reinterpret_cast<std::uintptr_t>(this_runner())});
  }
  expire_timers(now);
  return now;
}

// Returns the time afterwards.
std::int64_t PollingEventLoop::poll_or_block() noexcept {
  const bool awake = sleep_.awake();  // never announced, or interrupted already
  if (!awake && (!spin_policy_.spinning() || !spin())) return block();
  if (awake) poll_counted(0);
  return now_ns();
}

// Polls in a row until something comes; false if nothing did. Interrupters see kAnnounced and need no syscall
// to stop it.
bool PollingEventLoop::spin() noexcept {
  const std::int64_t start = now_ns();
  const std::int64_t end = std::min(start + SpinPolicy::kSpinNs, timers_.next_ns());
  counters_.spins.add();
  std::size_t events = 0;
  bool interrupted = false;
  do {
    events = poll_counted(0);
    interrupted = sleep_.awake();
  } while (events == 0 && !interrupted && now_ns() < end);
  const bool useful = events != 0 || interrupted;
  if (useful) {
    counters_.useful_spins.add();
    sleep_.withdraw();
  }
  spin_policy_.spun(useful);
  spin_policy_.polled(events + (interrupted ? 1 : 0), 0);
  return useful;
}

// Sleeps, unless it was interrupted meanwhile. Returns the time afterwards.
std::int64_t PollingEventLoop::block() noexcept {
  if (!sleep_.begin_block()) {
    spin_policy_.polled(poll_counted(0) + 1, 0);
    return now_ns();
  }
  // After the announcement: an earlier deadline armed from now on interrupts this sleep.
  const std::int64_t timeout = timeout_until(timers_.next_ns());
  const bool timed = ++blocks_ % kPollsForATimedOne == 0;
  const std::int64_t start = timed ? now_ns() : 0;
  std::size_t events = poll_counted(timeout);
  if (sleep_.end_block()) ++events;
  const std::int64_t end = now_ns();
  spin_policy_.polled(events, timed && end - start > kSleptNs ? kPollsForATimedOne : 0);
  return end;
}

// For the next poll. A timeout costs each poll a reading of the clock, a timer of the kernel that is started
// and stopped, and their system call's arithmetic; the deadlines of connections are far away, and one alarm
// serves all polls until then.
std::int64_t PollingEventLoop::timeout_until(std::int64_t next_ns) noexcept {
  if (next_ns >= alarm_ns_) return -1;  // the alarm rings before; never, if there is no deadline
  const std::int64_t left = saturating_subtract(next_ns, now_ns());
  if (left < kAlarmNs || !set_alarm(next_ns)) return std::max<std::int64_t>(left, 0);
  alarm_ns_ = next_ns;
  return -1;
}

std::size_t PollingEventLoop::poll_counted(std::int64_t timeout_ns) noexcept {
  const std::size_t events = poll(timeout_ns);
  counters_.polls.add();
  if (events == 0) counters_.empty_polls.add();
  counters_.events.add(events);
  return events;
}

// Returns how many of them belong to other contexts.
[[gnu::always_inline]] inline std::uint32_t PollingEventLoop::count_wakeups_locked(
    Descriptor& descriptor, const FiberQueue& won) noexcept {
  std::uint32_t foreign = 0;
  won.for_each([&](const Fiber& fiber) { foreign += fiber.home != home_ ? 1 : 0; });
  descriptor.counters.wakeups += static_cast<std::uint32_t>(won.size());
  descriptor.counters.cross_context_wakeups += foreign;
  return foreign;
}

void PollingEventLoop::deliver(std::uint64_t data, Signals signals) noexcept {
  const auto index = static_cast<std::uint32_t>(data);
  const auto generation = static_cast<std::uint32_t>(data >> 32);
  Descriptor* const descriptor = arena_.at(index);
  WEFT_ASSERT(descriptor != nullptr, "event for a descriptor that never was", WEFT_VALUE(index));
  FiberQueue won;
  std::unique_lock lock(descriptor->lock);
  if (descriptor->usage.generation() != generation) {  // closed meanwhile (L8)
    counters_.stale_events.add();
    return;
  }
  if (signal_locked(*descriptor, signals, won)) [[unlikely]]
    return deliver_to_many(*descriptor, signals, won, *lock.release());
  if (won.empty()) [[unlikely]]
    return counters_.unawaited_edges.add();
  if (count_wakeups_locked(*descriptor, won) != 0) [[unlikely]]
    return deliver_across(*descriptor, won, *lock.release());
  lock.unlock();
  counters_.wakeups.add(won.size());
  runnable_->splice(won);
}

void PollingEventLoop::deliver_end(std::uint64_t data, PeerEnd end) noexcept {
  note_peer_end(*arena_.at(static_cast<std::uint32_t>(data)), static_cast<std::uint32_t>(data >> 32), end);
}

// More than a portion of waiters. With the descriptor's lock, which it gives back. Between two portions the
// record may come to stand for another file: nobody who was taken off is in it any more then.
void PollingEventLoop::deliver_to_many(Descriptor& descriptor, Signals signals, FiberQueue& won,
                                       SpinLock& lock) noexcept {
  WaitList taken;
  if (signals.hang_up) take_all_waiters_locked(descriptor, taken);
  for (bool more = true; more;) {
    more = win_portion_locked(taken, WaitOutcome::kReady, won);
    count_wakeups_locked(descriptor, won);
    lock.unlock();
    hand_out(won);
    if (more) lock.lock();
  }
  if (signals.hang_up) return;
  if (signals.read) pass_turn_slow(descriptor, Direction::kRead);
  if (signals.write) pass_turn_slow(descriptor, Direction::kWrite);
}

// Some belong to other contexts. With the descriptor's lock, which it gives back: a test of what the wake-up
// is after that would cost those at home two instructions each.
void PollingEventLoop::deliver_across(Descriptor& descriptor, FiberQueue& won, SpinLock& lock) noexcept {
  const MigrationWatch::Step step = count_crossing_locked(descriptor, won, home_);
  lock.unlock();
  if (step != MigrationWatch::Step::kNothing) [[unlikely]]
    note_crossing(descriptor, step, won, home_);
  hand_out(won);
}

void PollingEventLoop::expire_timers(std::int64_t now) noexcept {
  FiberQueue won;
  const std::size_t count = timers_.expire(now, won);
  if (count == 0) return;
  counters_.timers_fired.add(count);
  hand_out(won);
}

void PollingEventLoop::hand_out(FiberQueue& won) noexcept {
  counters_.wakeups.add(won.size());
  while (Fiber* fiber = won.pop()) {
    if (fiber->home == home_) [[likely]] {
      runnable_->push(*fiber);
    } else {
      counters_.cross_context_wakeups.add();
      fiber->wake();
    }
  }
}

}  // namespace weft
