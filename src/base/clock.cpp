// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include "base/saturating.hpp"

#include <weft/deadline.hpp>

#include <time.h>

namespace weft {
namespace {

thread_local const std::int64_t* clock_override = nullptr;

}  // namespace

// Out of line and never inlined: a fiber may have moved to another thread since its last call, so the
// address of the thread-local must be computed anew each time (docs/design/laws.md, HZ4).
[[gnu::noinline]] std::int64_t now_ns() noexcept {
  const std::int64_t* const override_ns = clock_override;
  if (override_ns != nullptr) return *override_ns;
  return monotonic_ns();
}

[[gnu::noinline]] std::int64_t coarse_now_ns() noexcept {
  const std::int64_t* const override_ns = clock_override;
  if (override_ns != nullptr) return *override_ns;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

UnixTime coarse_unix_time() noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return {time.tv_sec, time.tv_nsec};
}

std::int64_t monotonic_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

[[gnu::noinline]] void set_clock_override(const std::int64_t* time_ns) noexcept { clock_override = time_ns; }

// A timeout of "never" stays that, whatever the clock says.
Deadline Deadline::after_ns(std::int64_t timeout_ns) noexcept {
  return timeout_ns == kNever ? never() : Deadline(saturating_add(now_ns(), timeout_ns));
}

Deadline Deadline::after_coarsely_ns(std::int64_t timeout_ns) noexcept {
  return timeout_ns == kNever ? never() : Deadline(saturating_add(coarse_now_ns(), timeout_ns));
}

bool Deadline::passed() const noexcept { return !is_never() && now_ns() >= time_ns_; }

}  // namespace weft
