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

class BootTicker;

namespace detail {
class TickBranch;
}

/// What a ticker does with ticks that came due while no call waited for them. The first of them is delivered
/// at once in every case.
enum class MissedTicks : std::uint8_t {
  kSkip,   ///< the others are dropped; the next tick is the next one of the schedule (like Go's Ticker)
  kBurst,  ///< all are delivered, one after the other, at once
  kDelay,  ///< the others are dropped; a new schedule starts: the next tick is one period from now
};

/// One tick.
struct Tick {
  Deadline due;              ///< the time at which it was due
  std::uint64_t missed = 0;  ///< the number of further ticks that had come due and are dropped
};

/// Ticks at a fixed period, without drift: tick n is due at first + n * period, however late the ticks before
/// it were delivered.
///
/// Each tick is delivered once: if several calls wait, one gets it, and the others get the next ones. A call
/// that is cancelled or times out takes no tick.
///
/// Thread safety: any fiber or plain thread with the same clock may call every method except the destructor;
/// a ticker made in a simulation belongs to that simulation. Destruction: no call may be in progress.
/// Allocates nothing. The policies are those of tokio's MissedTickBehavior, with one difference: kDelay
/// starts a new schedule only if a whole period was missed, so that small delays cause no drift.
///
///     weft::Ticker ticker(1s);
///     while (ticker.tick()) collect_statistics();   // until cancelled
class Ticker {
 public:
  /// The first tick is one period from now. Throws std::invalid_argument if the period is less than a
  /// nanosecond or NaN. A period too large for nanoseconds in 64 bits never ticks.
  template <class Rep, class Period>
  explicit Ticker(std::chrono::duration<Rep, Period> period, MissedTicks missed = MissedTicks::kSkip)
      : Ticker(detail::period_ns(period), missed) {}
  /// The first tick is at `first`.
  template <class Rep, class Period>
  Ticker(std::chrono::duration<Rep, Period> period, Deadline first, MissedTicks missed = MissedTicks::kSkip)
      : Ticker(detail::period_ns(period), first, missed) {}
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  /// Returns the next tick. Suspends until it is due; blocks a plain thread. Errc::cancelled if the fiber or
  /// the enclosing scope is cancelled first; Errc::timed_out if the scope's deadline comes first. A tick that
  /// is due already is delivered without a wait, also to a cancelled fiber, for a bounded number of times in
  /// a row.
  Result<Tick> tick() noexcept { return tick_until(Deadline::never()); }
  /// The same with a deadline: Errc::timed_out.
  Result<Tick> tick_until(Deadline deadline) noexcept;
  /// Returns a tick that is due; otherwise Errc::would_block. Does not suspend.
  Result<Tick> try_tick() noexcept;

  /// The time of the next tick, unless another call takes it meanwhile.
  Deadline next() const noexcept { return Deadline::at_ns(next_ns_.load(detail::relaxed)); }
  /// The period as given; `max()` if that was too large.
  std::chrono::nanoseconds period() const noexcept { return std::chrono::nanoseconds(period_ns_); }

 private:
  friend class detail::TickBranch;
  friend class BootTicker;

  Ticker(std::int64_t period_ns, MissedTicks missed);
  Ticker(std::int64_t period_ns, Deadline first, MissedTicks missed);
  bool take(std::int64_t now_ns, Tick& tick) noexcept;
  std::int64_t next_after(std::int64_t due_ns, std::int64_t now_ns, std::uint64_t& missed) const noexcept;

  const std::int64_t period_ns_;
  const MissedTicks missed_;
  detail::Atomic<std::int64_t> next_ns_;  // the call that advances it has taken that tick
};

namespace detail {

/// The branch of a select that waits for a tick. Only its time makes it ready: no other thread wakes the
/// select, which polls again at that time.
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

/// A branch of a select: ready when the next tick of `ticker` is due. Takes the tick and calls `f` with it,
/// or without arguments. A due tick is as ready as any other branch: a channel that always has values does
/// not starve it.
template <class F>
[[nodiscard]] auto tick(Ticker& ticker, F&& f) {
  return detail::TickInto<F>(ticker, std::forward<F>(f));
}

}  // namespace weft
