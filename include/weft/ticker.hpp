// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/duration_ns.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {
class TickBranch;
}

/// What a ticker does with ticks that came due while nobody waited for them. The first of them is delivered
/// at once in each case.
enum class MissedTicks : std::uint8_t {
  kSkip,   ///< the others are dropped; the next tick is the next one of the schedule (Go's Ticker)
  kBurst,  ///< all are delivered, one after the other, at once
  kDelay,  ///< the others are dropped; the schedule starts anew: the next tick is a period from now
};

/// One tick.
struct Tick {
  Deadline due;              ///< when it was to come
  std::uint64_t missed = 0;  ///< how many more had come due by now, and are dropped
};

/// Ticks at a fixed period, without drift: tick n is due at first + n * period, however late those before it
/// were delivered.
///
/// Each tick is delivered once: of several callers that wait, one gets it, the others the next one. A call
/// that is cancelled or times out takes no tick.
///
/// Thread safety: all methods but the destructor, any fiber or plain thread whose clock is the same: a ticker
/// made in a simulation is for that simulation. Destruction: nobody may be inside a call. Allocates nothing.
/// The policies are those of tokio's MissedTickBehavior, with one difference: kDelay starts anew only when a
/// whole period was missed, so small delays add up to no drift.
///
///     weft::Ticker ticker(1s);
///     while (ticker.tick()) collect_statistics();   // until cancelled
class Ticker {
 public:
  /// The first tick is a period from now. Throws std::invalid_argument for a period below a nanosecond, or
  /// NaN. A period too large for nanoseconds in 64 bits never ticks.
  template <class Rep, class Period>
  explicit Ticker(std::chrono::duration<Rep, Period> period, MissedTicks missed = MissedTicks::kSkip)
      : Ticker(detail::period_ns(period), missed) {}
  /// The first tick is at `first`.
  template <class Rep, class Period>
  Ticker(std::chrono::duration<Rep, Period> period, Deadline first, MissedTicks missed = MissedTicks::kSkip)
      : Ticker(detail::period_ns(period), first, missed) {}
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  /// The next tick. Suspends until it is due; blocks a plain thread. Errc::cancelled if the fiber, or the
  /// scope around the call, is cancelled first; Errc::timed_out if the scope's deadline comes first. A tick
  /// that is due already needs no wait, and is delivered to a cancelled fiber as well, for a bounded number
  /// of times in a row.
  Result<Tick> tick() noexcept { return tick_until(Deadline::never()); }
  /// The same, given up at the deadline: Errc::timed_out.
  Result<Tick> tick_until(Deadline deadline) noexcept;
  /// The tick that is due; else Errc::would_block. Does not suspend.
  Result<Tick> try_tick() noexcept;

  /// When the next tick is due, unless somebody takes it meanwhile.
  Deadline next() const noexcept { return Deadline::at_ns(next_ns_.load(detail::relaxed)); }
  /// As it was given; `max()` if that was too large.
  std::chrono::nanoseconds period() const noexcept { return std::chrono::nanoseconds(period_ns_); }

 private:
  friend class detail::TickBranch;

  Ticker(std::int64_t period_ns, MissedTicks missed);
  Ticker(std::int64_t period_ns, Deadline first, MissedTicks missed);
  bool take(std::int64_t now_ns, Tick& tick) noexcept;
  std::int64_t next_after(std::int64_t due_ns, std::int64_t now_ns, std::uint64_t& missed) const noexcept;

  const std::int64_t period_ns_;
  const MissedTicks missed_;
  detail::Atomic<std::int64_t> next_ns_;  // whoever advances it has taken that tick
};

namespace detail {

/// The branch of a select that waits for a tick. It is ready by its time alone: nobody wakes the select, it
/// looks again then.
class TickBranch : public SelectBranch {
 public:
  explicit TickBranch(Ticker& ticker) noexcept : SelectBranch(true), ticker_(ticker) {}

  SpinLock* lock() noexcept final { return nullptr; }
  void prepare() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter&, const WaitTicket&) noexcept final {}
  void remove_locked() noexcept final {}
  void describe(WaitDescription& description) const noexcept final;

 protected:
  ~TickBranch() = default;

  SelectPlan* plan_ = nullptr;
  Tick tick_;

 private:
  Ticker& ticker_;
  std::int64_t now_ns_ = 0;
};

template <class F>
class TickInto final : public TickBranch {
 public:
  TickInto(Ticker& ticker, F&& f) noexcept : TickBranch(ticker), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept {
    plan_ = &plan;
    plan.add(*this, place);
  }
  std::error_code run() {
    if constexpr (std::is_invocable_v<F&, Tick>) {
      std::invoke(f_, tick_);
    } else {
      std::invoke(f_);
    }
    return {};
  }

 private:
  F f_;
};

}  // namespace detail

/// A branch of a select: the next tick of `ticker` is due; it is taken, and given to `f`, which may also take
/// nothing. A tick that is due is as ready as any other branch: a channel that always has values does not
/// keep it away.
template <class F>
[[nodiscard]] auto tick(Ticker& ticker, F&& f) {
  return detail::TickInto<F>(ticker, std::forward<F>(f));
}

}  // namespace weft
