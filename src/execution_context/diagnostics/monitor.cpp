// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/monitor.hpp"

#include "base/clock.hpp"
#include "base/panic.hpp"
#include "event_loop/migration/migration_log.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/diagnostics/deadlock_watch.hpp"
#include "execution_context/diagnostics/migration_report.hpp"
#include "execution_context/diagnostics/stall_reports.hpp"
#include "execution_context/diagnostics/stuck_fiber.hpp"
#include "execution_context/library_thread.hpp"
#include "execution_context/memory/memory_trim.hpp"
#include "sys/signal.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

/// What a look at all schedulers brought.
struct Sight {
  std::int64_t now_ns;
  bool active = false;
  bool fibers_ran = false;
  bool waits_for_end = false;  ///< a context is being closed, for less time than would be reported
  std::optional<StuckFiber> to_report = {};  ///< one for each look; others come with the next
  std::vector<Leak> leaks = {};
};

/// It does not end, and that was not told.
bool may_be_reported(Context& context) noexcept {
  return &context.leader() == &context && context.closing() && !context.drained() &&
         leak_report_after_ns() != 0 && !context.closing_record.reported;
}

void look_whether_it_ends(Context& context, Sight& sight) {
  if (!may_be_reported(context)) return;
  ClosingRecord& record = context.closing_record;
  if (record.since_ns == 0) record.since_ns = sight.now_ns;
  const std::int64_t closing_ns = sight.now_ns - record.since_ns;
  if (closing_ns < leak_report_after_ns()) {
    sight.waits_for_end = true;
    return;
  }
  sight.leaks.push_back({&context, std::string(context.name()), closing_ns});
  record.reported = true;
}

void look_at(Context& context, Scheduler& scheduler, Sight& sight) {
  scheduler.look_soon();
  MonitorRecord& record = scheduler.monitor_record;
  const std::uint64_t ticks = scheduler.ticks();
  // Seen for the first time, it has no beginning yet: its first fiber may be seen before its first tick.
  const bool moved = ticks != record.ticks || record.since_ns == 0;
  const bool awake = scheduler.awake();
  sight.fibers_ran = sight.fibers_ran || moved;
  sight.active = sight.active || moved || awake;
  if (moved || !awake || scheduler.running() == nullptr) {
    if (record.stuck) scheduler.set_stuck(false);
    record = {.ticks = ticks, .since_ns = sight.now_ns, .stuck = false, .reported = false};
    return;
  }
  const std::int64_t stuck_ns = sight.now_ns - record.since_ns;
  if (stuck_ns < Monitor::kLookIntervalNs / 2) return;  // this look came early
  record.stuck = true;
  scheduler.put_off_writes().flush_from_outside();
  context.relieve(scheduler);
  if (record.reported || sight.to_report || !stuck_for_too_long(context, stuck_ns)) return;
  sight.to_report = StuckFiber::of(context, scheduler, stuck_ns);
  record.reported = sight.to_report.has_value();
}

Sight look_at_all() {
  Sight sight{.now_ns = monotonic_ns()};
  ContextRegistry::instance().for_each([&](Context& context) {
    look_whether_it_ends(context, sight);
    if (context.isolated()) return;
    context.for_each_scheduler([&](Scheduler& scheduler) { look_at(context, scheduler, sight); });
  });
  // Without the registry's lock: handlers may end contexts.
  if (sight.to_report) sight.to_report->report();
  for (const Leak& leak : sight.leaks) leak.report();
  return sight;
}

/// Whatever a parked monitor is woken for.
bool anything_to_watch() noexcept {
  bool found = MigrationLog::instance().pending();
  ContextRegistry::instance().for_each([&](Context& context) {
    found = found || may_be_reported(context);
    if (context.isolated()) return;
    context.for_each_scheduler([&](Scheduler& scheduler) { found = found || scheduler.awake(); });
  });
  return found;
}

constinit std::mutex start_lock;
bool started = false;  // guarded by start_lock

void wait_for_next_look() noexcept {
  static Atomic<std::uint32_t> nobody_wakes{0};
  sys::futex_wait(nobody_wakes, 0, Deadline::at_ns(monotonic_ns() + Monitor::kLookIntervalNs));
}

}  // namespace

alignas(kCacheLine) constinit Atomic<std::uint32_t> Monitor::parked_{0};

void Monitor::start() {
  const std::scoped_lock lock(start_lock);
  if (started) return;
  // M6: the mover of a descriptor may be a fiber that nobody watches, or a thread that only polls.
  MigrationLog::instance().set_wakeup(&Monitor::unpark);
  const sys::BlockedSignals none(sys::all_signals());  // the program's handlers run on its own threads
  std::thread(&Monitor::run).detach();
  started = true;
}

void Monitor::forget_thread() noexcept {
  new (&start_lock) std::mutex();
  started = false;
  parked_.store(0, relaxed);
}

void Monitor::run() noexcept {
  const LibraryThread thread("weft-monitor");
  DeadlockWatch deadlocks;
  MemoryTrim trim;
  for (int idle_looks = 0;;) {
    wait_for_next_look();
    if (process_is_dying()) continue;  // the fiber that panics is stuck, and its dump takes long
    try {
      if (MigrationLog::instance().pending()) tell_about_migrations();
      const Sight sight = look_at_all();
      if (sight.active) {
        idle_looks = 0;
        if (sight.fibers_ran || !trim.woke_threads()) deadlocks.something_ran();
        trim.look(sight.now_ns, sight.fibers_ran);
      } else if (++idle_looks >= kIdleLooks) {
        const std::int64_t deadlock_ns = deadlocks.look(sight.now_ns);
        const std::int64_t trim_ns = trim.look_idle(sight.now_ns);
        if (!sight.waits_for_end && trim_ns > sight.now_ns) rest(deadlock_ns, trim_ns);
      }
    } catch (
        const std::bad_alloc&) {  // a look, and perhaps a report, is left out: no reason to end the program
    }
  }
}

void Monitor::rest(std::int64_t deadlock_ns, std::int64_t trim_ns) noexcept {
  const bool trims = trim_ns != MemoryTrim::kNever;
  park(std::min(deadlock_ns, trim_ns), trims ? kUntilTrim : kUntilWoken);
}

// What is seen after this, but for the time, was there before: the looks that follow need not be many.
void Monitor::park(std::int64_t until_ns, std::uint32_t value) noexcept {
  const Deadline until = until_ns == DeadlockWatch::kNever ? Deadline::never() : Deadline::at_ns(until_ns);
  parked_.store(value, seq_cst);
  if (anything_to_watch()) return parked_.store(0, relaxed);
  while (parked_.load(acquire) != 0) {
    if (!sys::futex_wait(parked_, value, until)) return parked_.store(0, relaxed);
  }
}

void Monitor::unpark() noexcept {
  // seq_cst: after what the caller has to tell.
  if (parked_.exchange(0, seq_cst) != 0) sys::futex_wake(parked_, 1);
}

}  // namespace weft
