// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a poller should poll in a row for a moment instead of going to sleep.
//
// Waking a sleeping CPU costs about 30 us on a virtual machine, a thousand times a switch. Where few connections are
// active nearly every event pays it, on both sides; then spinning gives 2.7 times the requests at less CPU for each. Where
// many are active the poller hardly sleeps, and where the load is slow, spinning only burns: so the policy looks at what
// happened, every kWindowNs, and switches itself off when it does not pay (L13: an idle loop does not spin at all,
// because nothing wakes it).
//
//   off -> on   more than 1/8 of a window's events came after a sleep, and the back-off is over
//   on -> off   fewer than 3/4 of a window's spins found something; the back-off doubles, up to kBackoffMaxNs
//
// Rejected: a fixed spin (costs CPU under a slow load), naps and yields between polls (no gain), see docs/perf.md.
// Not thread-safe: the poller's own.

#include <cstdint>

namespace weft {

class SpinPolicy {
 public:
  static constexpr std::int64_t kSpinNs = 50'000;
  static constexpr std::int64_t kWindowNs = 20'000'000;
  static constexpr std::int64_t kBackoffMaxNs = 1'280'000'000;

  bool spinning() const noexcept { return spinning_; }

  /// A poll brought `events`; `slept`: the thread had to sleep for them.
  void polled(std::uint64_t events, bool slept) noexcept {
    events_ += events;
    if (slept) events_after_sleep_ += events;
  }

  /// A spin ended; `useful`: with something found.
  void spun(bool useful) noexcept {
    ++spins_;
    if (useful) ++useful_spins_;
  }

  /// Looks at the window if it is over. Called once for each run of the loop.
  void look(std::int64_t now_ns) noexcept {
    if (now_ns < window_end_ns_) [[likely]] return;
    decide(now_ns);
  }

 private:
  void decide(std::int64_t now_ns) noexcept;

  bool spinning_ = false;
  std::uint64_t events_ = 0;
  std::uint64_t events_after_sleep_ = 0;
  std::uint64_t spins_ = 0;
  std::uint64_t useful_spins_ = 0;
  std::int64_t window_end_ns_ = 0;
  std::int64_t backoff_ns_ = kWindowNs;
  std::int64_t off_until_ns_ = 0;
};

}  // namespace weft
