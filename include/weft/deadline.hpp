// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/duration_ns.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace weft {

/// An absolute point in time by which something must be done. Wherever one is taken, a duration from now is,
/// too: `stream.read_some_until(buffer, 5s)`.
///
/// Measured in nanoseconds of the clock of the current event loop: the monotonic clock, or the virtual
/// one inside a simulation. A value type; passing one on costs no clock reading. `Deadline::never()` is
/// the default and compares greater than every other.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;

  /// The same as after(timeout).
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout) : Deadline(after(timeout)) {}  // NOLINT

  static constexpr Deadline never() noexcept { return {}; }

  /// A deadline `timeout` from now. Any duration is allowed: one of zero or less has already passed, one too
  /// large to represent is `never()`, and so are infinity and NaN; minus infinity has passed.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    return after_ns(detail::saturated_ns(timeout));
  }

  /// The same, counted from the last tick of the kernel's clock, which is up to 4 ms ago and several times
  /// cheaper to read: for limits of seconds.
  template <class Rep, class Period>
  static Deadline after_coarsely(std::chrono::duration<Rep, Period> timeout) {
    return after_coarsely_ns(detail::saturated_ns(timeout));
  }

  /// A deadline `timeout_ns` nanoseconds from now; the same limits hold.
  static Deadline after_ns(std::int64_t timeout_ns) noexcept;
  static Deadline after_coarsely_ns(std::int64_t timeout_ns) noexcept;

  /// A deadline at `time_ns` nanoseconds of the loop's clock. Any number is allowed; the largest is
  /// `never()`.
  static constexpr Deadline at_ns(std::int64_t time_ns) noexcept { return Deadline(time_ns); }

  constexpr std::int64_t time_ns() const noexcept { return time_ns_; }
  constexpr bool is_never() const noexcept { return time_ns_ == kNever; }
  /// True when the loop's clock has reached the deadline.
  bool passed() const noexcept;

  friend constexpr auto operator<=>(const Deadline&, const Deadline&) noexcept = default;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  explicit constexpr Deadline(std::int64_t time_ns) noexcept : time_ns_(time_ns) {}

  std::int64_t time_ns_ = kNever;
};

/// Until when the two halves of a write that is followed by a read may take.
struct ExchangeDeadlines {
  Deadline write = Deadline::never();
  Deadline read = Deadline::never();
};

}  // namespace weft
