// SPDX-License-Identifier: Apache-2.0
#include <weft/rate_limiter.hpp>

#include "base/clock.hpp"
#include "base/panic.hpp"
#include "base/portion.hpp"
#include "fiber/budget.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/time/rate_limiter_core.hpp"

#include <weft/detail/shared_value.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>

namespace weft {
namespace detail {
namespace {

constexpr std::int64_t kNever = Waiter::kNoDeadline;

// A permit is worth less than 2^63 units, and a burst is at most 2^62 permits; a clock is below 2^63 ns and
// a rate at most 2^62 permits: every sum of theirs below is less than 2^127.
constexpr WideInteger kPlannedMax = static_cast<WideInteger>(1) << 62;

[[maybe_unused]] const bool permits_described =
    set_wait_describer(WaitKind::kPermits, [](const void* object, WaitDescription& description) noexcept {
      description.add("permits of rate limiter ");
      description.add_address(object);
      description.external = true;  // the clock brings them
    });

}  // namespace

void Grants::wake() noexcept {
  while (PermitNode* const node = won.pop_front()) node->waiter->wake();
  if (first != nullptr) first->wake();
}

RateLimiterCore::~RateLimiterCore() {
  if (!waiters_.empty()) [[unlikely]]
    WEFT_PANIC("a rate limiter is destroyed while somebody waits for it", WEFT_VALUE(this));
}

// As of when it was asked for: whoever was woken late, or waits behind one that was, loses nothing by it.
bool RateLimiterCore::take_locked(std::size_t permits, std::int64_t since_ns, std::int64_t now_ns) noexcept {
  const WideInteger after = std::max(full_at_, units(since_ns)) + worth(permits);
  if (after - worth(burst_) > units(now_ns)) return false;
  full_at_ = after;
  return true;
}

/// When take_locked() is true, rounded up to a nanosecond.
std::int64_t RateLimiterCore::time_for_locked(std::size_t permits, std::int64_t since_ns) const noexcept {
  const WideInteger at = std::max(full_at_, units(since_ns)) + worth(permits) - worth(burst_);
  if (at <= units(since_ns)) return since_ns;
  const WideInteger whole = at / rate_.permits();  // towards zero
  const WideInteger time_ns = whole + (at > 0 && at % rate_.permits() != 0 ? 1 : 0);
  return time_ns < kNever ? static_cast<std::int64_t>(time_ns) : kNever;
}

/// Begins the wait of `node`, which is in the list. The first one's ends when its permits are there; another
/// one's when they would be, if all in front stay: should that be too late, as somebody left, grant_locked()
/// wakes it. Only the last knows what is in front of it without counting.
void RateLimiterCore::plan_locked(PermitNode& node, Waiter& self, Deadline deadline) noexcept {
  if (&waiters_.front() == &node) {
    node.planned_ns = time_for_locked(node.permits, node.since_ns);
  } else if (awaited_ <= kPlannedMax && !node.waiter) {
    node.planned_ns = time_for_locked(static_cast<std::size_t>(awaited_), node.since_ns);
  } else {
    node.planned_ns = kNever;
  }
  node.waiter = &self;
  node.ticket = self.begin(WaitWord::Cancellable::kYes, std::min(node.planned_ns, deadline.time_ns()),
                           {WaitKind::kPermits, this});
}

void RateLimiterCore::remove_locked(PermitNode& node) noexcept {
  waiters_.remove(node);
  awaited_ -= static_cast<WideInteger>(node.permits);
}

// / Gives permits to those in front, a portion of them; then makes RL2 true of the first that is left. One
// that / cannot be won is on its way to the lock, and finds what it was granted, or that it is the first.
void RateLimiterCore::grant_locked(std::int64_t now_ns, Grants& grants) noexcept {
  for (std::uint32_t count = 0; !waiters_.empty(); ++count) {
    PermitNode& front = waiters_.front();
    if (count == kPortion || !take_locked(front.permits, front.since_ns, now_ns)) {
      const bool planned_late = front.planned_ns > time_for_locked(front.permits, front.since_ns);
      if (planned_late && front.waiter != nullptr &&
          front.waiter->word.try_win(front.ticket, WaitOutcome::kRetry))
        grants.first = front.waiter;
      return;
    }
    remove_locked(front);
    front.granted = true;
    if (front.waiter != nullptr && front.waiter->word.try_win(front.ticket, WaitOutcome::kReady))
      grants.won.push_back(front);
  }
}

/// After a wait that was not won by a grant: true if the permits are there now, or were granted meanwhile.
bool RateLimiterCore::take_turn(PermitNode& node, std::int64_t now_ns) noexcept {
  Grants grants;
  bool granted = false;
  {
    const std::scoped_lock lock(lock_);
    if (!node.granted) grant_locked(now_ns, grants);
    granted = node.granted;
  }
  grants.wake();
  return granted;
}

/// The same, of one that gives up.
bool RateLimiterCore::leave(PermitNode& node, std::int64_t now_ns) noexcept {
  Grants grants;
  {
    const std::scoped_lock lock(lock_);
    if (node.granted) return true;
    remove_locked(node);
    grant_locked(now_ns, grants);
  }
  grants.wake();
  return false;
}

Result<void> RateLimiterCore::wait(PermitNode& node, Waiter& self, Deadline deadline) noexcept {
  for (;;) {
    WaitOutcome outcome = self.wait();
    if (outcome == WaitOutcome::kReady) return {};  // granted: the limiter may be gone
    const std::int64_t now = now_ns();
    if (outcome != WaitOutcome::kCancelled) {
      if (take_turn(node, now)) return {};
      outcome = deadline.time_ns() <= now ? WaitOutcome::kTimedOut : self.cancellation();
    }
    if (outcome != WaitOutcome::kReady) {
      if (leave(node, now)) return {};
      return result_of_outcome(outcome);
    }
    const std::scoped_lock lock(lock_);
    if (node.granted) return {};
    plan_locked(node, self, deadline);
  }
}

Result<void> RateLimiterCore::acquire(std::size_t permits, Deadline deadline) noexcept {
  if (permits > burst_) return std::make_error_code(std::errc::invalid_argument);
  if (permits == 0) return {};
  Runner* const runner = this_runner();
  if (!pay_from_budget(runner)) [[unlikely]] {
    const WaitOutcome spent = yield_at_end_of_budget(*runner, deadline);
    if (spent != WaitOutcome::kReady) return result_of_outcome(spent);
  }
  const std::int64_t now = now_ns();
  PermitNode node;
  node.permits = permits;
  node.since_ns = now;
  Waiter& self = Waiter::current();
  {
    const std::scoped_lock lock(lock_);
    if (waiters_.empty() && take_locked(permits, now, now)) return {};
    waiters_.push_back(node);
    awaited_ += static_cast<WideInteger>(permits);
    plan_locked(node, self, deadline);
  }
  return wait(node, self, deadline);
}

bool RateLimiterCore::try_acquire(std::size_t permits) noexcept {
  if (permits > burst_) return false;
  const std::int64_t now = now_ns();
  const std::scoped_lock lock(lock_);
  return permits == 0 || (waiters_.empty() && take_locked(permits, now, now));
}

std::size_t RateLimiterCore::available() noexcept {
  const std::int64_t now = now_ns();
  const std::scoped_lock lock(lock_);
  const WideInteger room = units(now) + worth(burst_) - std::max(full_at_, units(now));
  if (!waiters_.empty() || room <= 0) return 0;
  return static_cast<std::size_t>(room / rate_.period().count());
}

/// Apart from the destructor, where the compiler would drop the store into what is gone.
[[gnu::noinline]] static void destroy_rate_limiter(RateLimiterCore*& core) noexcept {
  delete &require_alive(core);
  core = nullptr;
}

}  // namespace detail

RateLimiter::RateLimiter(Rate rate, std::size_t burst) {
  if (burst == 0 || burst > burst_max())
    throw std::invalid_argument("weft: the burst of a rate limiter is 1 to RateLimiter::burst_max() permits");
  core_ = new detail::RateLimiterCore(rate, burst);
}

RateLimiter::~RateLimiter() { detail::destroy_rate_limiter(core_); }

Result<void> RateLimiter::acquire_until(Deadline deadline, std::size_t permits) noexcept {
  return detail::require_alive(core_).acquire(permits, deadline);
}
bool RateLimiter::try_acquire(std::size_t permits) noexcept {
  return detail::require_alive(core_).try_acquire(permits);
}
std::size_t RateLimiter::available() const noexcept { return detail::require_alive(core_).available(); }
std::size_t RateLimiter::burst() const noexcept { return detail::require_alive(core_).burst(); }
Rate RateLimiter::rate() const noexcept { return detail::require_alive(core_).rate(); }

}  // namespace weft
