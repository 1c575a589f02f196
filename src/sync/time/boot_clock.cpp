// SPDX-License-Identifier: Apache-2.0
#include <weft/boot_clock.hpp>

#include "base/saturating.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/waiter.hpp"
#include "sync/time/boot_alarms.hpp"

#include <optional>
#include <system_error>

namespace weft {
namespace {

[[maybe_unused]] const bool boot_time_described =
    set_wait_describer(WaitKind::kBootTime, [](const void*, WaitDescription& description) noexcept {
      description.add("its time on the boot clock");
      description.external = true;
    });

/// Ends one wait.
class WakingAlarm final : public BootAlarm {
 public:
  explicit WakingAlarm(Waiter& waiter) noexcept : waiter_(waiter) {}

  std::stop_source ring() noexcept override {
    if (waiter_.word.try_win(ticket, WaitOutcome::kReady)) waiter_.wake();
    return std::stop_source(std::nostopstate);
  }

  WaitTicket ticket;  // guarded by the lock

 private:
  Waiter& waiter_;
};

/// Until `time`: success; or until `deadline`, or what is around ends.
Result<void> wait_until(BootTime time, Deadline deadline) noexcept {
  Waiter& self = Waiter::current();
  WakingAlarm alarm(self);
  Result<void> armed;
  {
    const std::scoped_lock locked(BootAlarms::lock());
    alarm.ticket =
        self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kBootTime, nullptr});
    armed = BootAlarms::arm_locked(alarm, time.time_ns());
  }
  if (!armed && self.word.try_win(alarm.ticket, WaitOutcome::kReady)) return armed;
  const WaitOutcome outcome = self.wait();
  if (outcome != WaitOutcome::kReady) BootAlarms::disarm(alarm);
  return result_of_outcome(outcome);
}

}  // namespace

BootTime BootTime::now() noexcept { return BootTime(BootAlarms::now_ns()); }

BootTime BootTime::after_ns(std::int64_t duration_ns) noexcept {
  return duration_ns == kNever ? never() : BootTime(saturating_add(BootAlarms::now_ns(), duration_ns));
}

bool BootTime::passed() const noexcept { return !is_never() && BootAlarms::now_ns() >= time_ns_; }

SleepResult sleep_until(BootTime time) noexcept {
  if (BootAlarms::simulated()) return sleep_until(Deadline::at_ns(time.time_ns()));
  if (const WaitOutcome ended = Waiter::current().cancellation(); ended != WaitOutcome::kReady)
    return result_of_outcome(ended);
  if (time.passed()) return checkpoint();
  return wait_until(time, Deadline::never());
}

// -- ticks --------------------------------------------------------------------------------------------------

BootTicker::BootTicker(std::chrono::nanoseconds period, BootTime first, MissedTicks missed)
    : ticker_(period, Deadline::at_ns(first.time_ns()), missed) {}

Result<BootTick> BootTicker::try_tick() noexcept {
  Tick tick;
  if (!ticker_.take(BootAlarms::now_ns(), tick)) return Errc::would_block;
  return BootTick{BootTime::at_ns(tick.due.time_ns()), tick.missed};
}

Result<BootTick> BootTicker::tick_until(Deadline deadline) noexcept {
  if (const Result<void> paid = checkpoint(); !paid) return paid.error();
  for (;;) {
    if (const Result<BootTick> tick = try_tick(); tick) return tick;
    if (deadline.passed()) return Errc::timed_out;
    const BootTime due = next();
    const Result<void> waited = BootAlarms::simulated()
                                    ? sleep_until(std::min(Deadline::at_ns(due.time_ns()), deadline))
                                    : wait_until(due, deadline);
    if (!waited && !(waited.error() == Errc::timed_out && deadline.passed())) return waited.error();
  }
}

// -- scopes -------------------------------------------------------------------------------------------------

class BootScopeCore final : public BootAlarm {
 public:
  explicit BootScopeCore(BootTime end) : end_(end) {
    const bool simulated = BootAlarms::simulated();
    node_.enter(simulated ? end.time_ns() : CancelNode::kNoDeadline, CancelNode::Shield::kNo);
    bound_.emplace(stop_.get_token(), End{&node_});
    if (simulated) return;
    Result<void> armed;
    {
      const std::scoped_lock locked(BootAlarms::lock());
      armed = BootAlarms::arm_locked(*this, end.time_ns());
    }
    if (armed) return;
    leave();
    throw std::system_error(armed.error(), "weft: a scope on the boot clock");
  }
  ~BootScopeCore() {
    BootAlarms::disarm(*this);
    leave();
  }

  std::stop_source ring() noexcept override { return stop_; }

  CancelNode& node() noexcept { return node_; }
  Result<void> status() noexcept {
    if (end_.passed()) node_.end(WaitOutcome::kTimedOut);
    return result_of_outcome(node_.status());
  }

 private:
  struct End {
    CancelNode* node;
    void operator()() const noexcept { node->end(WaitOutcome::kTimedOut); }
  };

  void leave() noexcept {
    bound_.reset();  // waits for a call that is going on: a few instructions, and no suspension
    node_.leave();
  }

  const BootTime end_;
  CancelNode node_;
  std::stop_source stop_;
  std::optional<std::stop_callback<End>> bound_;
};

BootScope::BootScope(BootTime end) : core_(std::make_unique<BootScopeCore>(end)) {}
BootScope::~BootScope() = default;

Result<void> BootScope::status() noexcept { return core_->status(); }
void BootScope::cancel() noexcept { core_->node().end(WaitOutcome::kCancelled); }

}  // namespace weft
