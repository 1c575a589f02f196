// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/duration_ns.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace weft {

/// An absolute point in time at which a wait ends. A duration converts to a deadline that long from now:
/// `stream.read_some_until(buffer, 5s)`.
///
/// It counts nanoseconds of the current event loop's clock: the monotonic clock, which stands still while the
/// machine is suspended (BootTime does not), or the virtual clock in a simulation. A value type; copying it
/// does not read the clock. `Deadline::never()` is the default and compares greater than every other
/// deadline.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;

  /// The same as after(timeout).
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout) : Deadline(after(timeout)) {}  // NOLINT

  static constexpr Deadline never() noexcept { return {}; }

  /// A deadline `timeout` from now. Every duration is allowed. Zero, negative durations and minus infinity
  /// give a deadline that has passed. Durations too large to represent, infinity and NaN give `never()`.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    return after_ns(detail::saturated_ns(timeout));
  }

  /// The same, counted from the last tick of the kernel's clock. The tick may be 4 ms ago, but is several
  /// times cheaper to read. Use it for limits of seconds.
  template <class Rep, class Period>
  static Deadline after_coarsely(std::chrono::duration<Rep, Period> timeout) {
    return after_coarsely_ns(detail::saturated_ns(timeout));
  }

  /// A deadline `timeout_ns` nanoseconds from now, with the same rules.
  static Deadline after_ns(std::int64_t timeout_ns) noexcept;
  static Deadline after_coarsely_ns(std::int64_t timeout_ns) noexcept;

  /// A deadline at `time_ns` nanoseconds of the loop's clock. Every number is allowed; the largest means
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

}  // namespace weft
