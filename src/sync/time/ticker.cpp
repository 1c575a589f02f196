// SPDX-License-Identifier: Apache-2.0
// A ticker is one word: when the next tick is due. Whoever advances it, by one compare-and-swap, has taken
// that tick. Nothing else is published by it, so relaxed will do; a stale word makes the swap fail, or the
// caller sleep until a time that has passed.
#include <weft/ticker.hpp>

#include "base/clock.hpp"
#include "base/saturating.hpp"
#include "fiber/budget.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/wait_kind.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>
#include <stdexcept>

namespace weft {
namespace {

std::int64_t checked_period(std::int64_t period_ns) {
  if (period_ns <= 0) throw std::invalid_argument("weft: the period of a ticker is a nanosecond or more");
  return period_ns;
}

}  // namespace

Ticker::Ticker(std::int64_t period_ns, MissedTicks missed)
    : Ticker(period_ns, Deadline::after_ns(period_ns), missed) {}

Ticker::Ticker(std::int64_t period_ns, Deadline first, MissedTicks missed)
    : period_ns_(checked_period(period_ns)), missed_(missed), next_ns_(first.time_ns()) {}

// `due_ns` has been reached, so the difference is not negative; it may be greater than a signed one.
std::int64_t Ticker::next_after(std::int64_t due_ns, std::int64_t now_ns,
                                std::uint64_t& missed) const noexcept {
  const std::uint64_t late_ns = static_cast<std::uint64_t>(now_ns) - static_cast<std::uint64_t>(due_ns);
  const auto period_ns = static_cast<std::uint64_t>(period_ns_);
  if (late_ns < period_ns || missed_ == MissedTicks::kBurst) return saturating_add(due_ns, period_ns_);
  missed = late_ns / period_ns;
  const std::uint64_t rest_ns = missed_ == MissedTicks::kSkip ? late_ns % period_ns : 0;
  return saturating_add(now_ns, static_cast<std::int64_t>(period_ns - rest_ns));
}

/// Takes the tick that is due at `now_ns`.
bool Ticker::take(std::int64_t now_ns, Tick& tick) noexcept {
  std::int64_t due_ns = next_ns_.load(relaxed);
  for (;;) {
    if (due_ns > now_ns || Deadline::at_ns(due_ns).is_never()) return false;
    tick = {Deadline::at_ns(due_ns)};
    const std::int64_t after_ns = next_after(due_ns, now_ns, tick.missed);
    if (next_ns_.compare_exchange_weak(due_ns, after_ns, relaxed, relaxed)) return true;
  }
}

Result<Tick> Ticker::try_tick() noexcept {
  Tick tick;
  if (!take(now_ns(), tick)) return Errc::would_block;
  return tick;
}

Result<Tick> Ticker::tick_until(Deadline deadline) noexcept {
  Runner* const runner = this_runner();
  if (!pay_from_budget(runner)) [[unlikely]] {
    const WaitOutcome spent = yield_at_end_of_budget(*runner, deadline);
    if (spent != WaitOutcome::kReady) return result_of_outcome(spent).error();
  }
  for (;;) {
    Tick tick;
    const std::int64_t now = now_ns();
    if (take(now, tick)) return tick;
    if (deadline.time_ns() <= now) return Errc::timed_out;
    if (const Result<void> slept = sleep_until(std::min(next(), deadline)); !slept) return slept.error();
  }
}

namespace detail {

void TickBranch::prepare() noexcept {
  now_ns_ = now_ns();
  plan_->look_again = std::min(plan_->look_again, ticker_.next());
}

bool TickBranch::poll_locked() noexcept { return ticker_.take(now_ns_, tick_); }

void TickBranch::describe(WaitDescription& description) const noexcept {
  description.add("the next tick of ticker ");
  description.add_address(&ticker_);
  description.external = true;
}

}  // namespace detail
}  // namespace weft
