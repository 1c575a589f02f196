// SPDX-License-Identifier: Apache-2.0
#include "execution_context/monitor.hpp"

#include "base/clock.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/stuck_fiber.hpp"
#include "sys/signal.hpp"
#include "sys/thread.hpp"

#include <optional>
#include <thread>

namespace weft {
namespace {

/// What a look at all schedulers brought.
struct Sight {
  std::int64_t now_ns;
  bool active = false;
  std::optional<StuckFiber> to_report = {};  ///< one for each look; others come with the next
};

void look_at(Context& context, Scheduler& scheduler, Sight& sight) noexcept {
  MonitorRecord& record = scheduler.monitor_record;
  const std::uint64_t ticks = scheduler.ticks();
  const bool moved = ticks != record.ticks;
  const bool awake = scheduler.awake();
  sight.active = sight.active || moved || awake;
  if (moved || !awake || scheduler.running() == nullptr) {
    if (record.stuck) scheduler.set_stuck(false);
    record = {.ticks = ticks, .since_ns = sight.now_ns, .stuck = false, .reported = false};
    return;
  }
  const std::int64_t stuck_ns = sight.now_ns - record.since_ns;
  if (stuck_ns < Monitor::kLookIntervalNs / 2) return;  // this look came early
  record.stuck = true;
  context.relieve(scheduler);
  if (record.reported || sight.to_report || !stuck_for_too_long(stuck_ns)) return;
  sight.to_report = StuckFiber::of(context, scheduler, stuck_ns);
  record.reported = sight.to_report.has_value();
}

/// True if any scheduler is awake, or was since the last time.
bool look_at_all() noexcept {
  Sight sight{.now_ns = monotonic_ns()};
  ContextRegistry::instance().for_each([&](Context& context) {
    if (context.isolated()) return;
    context.for_each_scheduler([&](Scheduler& scheduler) { look_at(context, scheduler, sight); });
  });
  if (sight.to_report) sight.to_report->report();  // without the registry's lock: handlers may end contexts
  return sight.active;
}

bool anybody_awake() noexcept {
  bool awake = false;
  ContextRegistry::instance().for_each([&](Context& context) {
    if (context.isolated()) return;
    context.for_each_scheduler([&](Scheduler& scheduler) { awake = awake || scheduler.awake(); });
  });
  return awake;
}

void wait_for_next_look() noexcept {
  static Atomic<std::uint32_t> nobody_wakes{0};
  sys::futex_wait(nobody_wakes, 0, Deadline::at_ns(monotonic_ns() + Monitor::kLookIntervalNs));
}

}  // namespace

alignas(kCacheLine) constinit Atomic<std::uint32_t> Monitor::parked_{0};

void Monitor::start() {
  [[maybe_unused]] static const bool started = [] {
    const sys::BlockedSignals none(sys::all_signals());  // the program's handlers run on its own threads
    std::thread(&Monitor::run).detach();
    return true;
  }();
}

void Monitor::run() noexcept {
  [[maybe_unused]] const auto named = sys::set_thread_name("weft-monitor");
  int idle_looks = 0;
  for (;;) {
    wait_for_next_look();
    idle_looks = look_at_all() ? 0 : idle_looks + 1;
    if (idle_looks < kIdleLooks) continue;
    park();
    idle_looks = 0;
  }
}

void Monitor::park() noexcept {
  parked_.store(1, seq_cst);
  if (anybody_awake()) return parked_.store(0, relaxed);
  while (parked_.load(acquire) != 0) sys::futex_wait(parked_, 1);
}

void Monitor::unpark() noexcept {
  if (parked_.exchange(0, acq_rel) != 0) sys::futex_wake(parked_, 1);
}

}  // namespace weft
