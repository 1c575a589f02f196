// SPDX-License-Identifier: Apache-2.0
#include "event_loop/spin_policy.hpp"

#include <algorithm>

namespace weft {
namespace {

/// How much faster events must come to be worth more CPU for each.
constexpr double kWorthwhileRate = 1.5;

/// What an event may cost with spinning, relative to without, to call it cheaper: windows are noisy.
constexpr double kCheaper = 0.95;

/// Windows with fewer events say nothing about cost.
constexpr double kEventsMin = 20;

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
  const auto length = static_cast<double>(now_ns - window_start_ns_);
  const auto events = static_cast<double>(events_);
  if (cpu.thread != window_cpu_.thread || events < kEventsMin || length > 2.0 * kWindowNs) return {};
  return {events, static_cast<double>(cpu.time_ns - window_cpu_.time_ns) / events, events / length};
}

void SpinPolicy::decide_off(std::int64_t now_ns, const Cost& cost) noexcept {
  if (cost.events == 0 || now_ns < off_until_ns_ || sleeps_ * 8 <= events_) return;
  without_ = cost;
  mode_ = Mode::kTrial;
  windows_ = 0;
}

void SpinPolicy::decide_trial(std::int64_t now_ns, const Cost& cost) noexcept {
  if (!pays(cost)) return give_up(now_ns);
  if (++windows_ < kWindowsOfTrial) return;
  mode_ = Mode::kOn;
  windows_ = 0;
  backoff_ns_ = kWindowNs;
}

void SpinPolicy::decide_on(std::int64_t now_ns) noexcept {
  if (useful_spins_ * 4 < spins_ * 3) return give_up(now_ns);
  if (++windows_ == kWindowsOn) mode_ = Mode::kOff;  // without a back-off: the next window decides again
}

void SpinPolicy::give_up(std::int64_t now_ns) noexcept {
  mode_ = Mode::kOff;
  off_until_ns_ = now_ns + backoff_ns_;
  backoff_ns_ = std::min(backoff_ns_ * 2, kBackoffMaxNs);
}

bool SpinPolicy::pays(const Cost& cost) const noexcept {
  if (cost.events == 0) return false;
  return cost.cpu_per_event <= without_.cpu_per_event * kCheaper ||
         cost.events_per_ns >= without_.events_per_ns * kWorthwhileRate;
}

}  // namespace weft
