// SPDX-License-Identifier: Apache-2.0
#include "event_loop/polling/spin_policy.hpp"

#include <algorithm>

namespace weft {
namespace {

/// Ratios of two windows are off by that much.
constexpr double kNoise = 0.05;

/// How much more CPU an event may cost, for each part that they come faster.
constexpr double kWorth = 0.5;

/// Events that come so much faster than before the last trial are another load, of which that says nothing.
constexpr double kAnotherLoad = 2;

/// Windows with fewer events say nothing about cost.
constexpr std::uint64_t kEventsMin = 20;

}  // namespace

void SpinPolicy::decide(std::int64_t now_ns, Cpu cpu) noexcept {
  const Cost cost = cost_of_window(now_ns, cpu);
  switch (mode_) {
    case Mode::kOff: decide_off(now_ns, cost); break;
    case Mode::kTrial: decide_trial(now_ns, cost); break;
    case Mode::kOn: decide_on(now_ns); break;
  }
  events_ = sleeps_ = spins_ = useful_spins_ = 0;
  window_start_ns_ = now_ns;
  window_end_ns_ = now_ns + kWindowNs;
  window_cpu_ = cpu;
}

// A window that was late (the loop slept through its end), or that another thread began, is not comparable.
SpinPolicy::Cost SpinPolicy::cost_of_window(std::int64_t now_ns, Cpu cpu) const noexcept {
  const std::int64_t length_ns = now_ns - window_start_ns_;
  if (cpu.thread != window_cpu_.thread || events_ < kEventsMin || length_ns > 2 * kWindowNs) return {};
  return {.events = static_cast<double>(events_),
          .cpu_ns = static_cast<double>(cpu.time_ns - window_cpu_.time_ns),
          .length_ns = static_cast<double>(length_ns)};
}

void SpinPolicy::decide_off(std::int64_t now_ns, const Cost& cost) noexcept {
  if (cost.events == 0 || sleeps_ * 8 <= events_) return;
  if (now_ns < off_until_ns_ && cost.rate() <= without_.rate() * kAnotherLoad) return;
  without_ = cost;
  with_ = {};
  mode_ = Mode::kTrial;
  windows_ = compared_ = 0;
}

void SpinPolicy::decide_trial(std::int64_t now_ns, const Cost& cost) noexcept {
  ++windows_;
  if (windows_ > kWindowsOfTrialMax || (windows_ >= kWindowsOfTrial && mostly_in_vain()))
    return give_up(now_ns);
  if (cost.events == 0) return;
  with_.add(cost);
  if (++compared_ < kWindowsOfTrial) return;
  if (!pays()) return give_up(now_ns);
  mode_ = Mode::kOn;
  windows_ = 0;
  backoff_ns_ = kWindowNs;
}

void SpinPolicy::decide_on(std::int64_t now_ns) noexcept {
  if (mostly_in_vain()) return give_up(now_ns);
  if (++windows_ < windows_on_) return;
  windows_on_ = std::min(windows_on_ * 2, kWindowsOnMax);
  mode_ = Mode::kOff;  // without a back-off: the next window decides again
}

void SpinPolicy::give_up(std::int64_t now_ns) noexcept {
  mode_ = Mode::kOff;
  windows_on_ = kWindowsOn;
  off_until_ns_ = now_ns + backoff_ns_;
  backoff_ns_ = std::min(backoff_ns_ * 2, kBackoffMaxNs);
}

bool SpinPolicy::mostly_in_vain() const noexcept { return useful_spins_ * 4 < spins_ * 3; }

bool SpinPolicy::pays() const noexcept {
  const double cpu = with_.cpu_per_event() / without_.cpu_per_event();
  const double rate = with_.rate() / without_.rate();
  return cpu <= 1 - kNoise + (rate - 1) * kWorth;
}

}  // namespace weft
