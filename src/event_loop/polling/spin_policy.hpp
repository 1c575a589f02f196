// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a thread that waits should look in a row for a moment instead of going to sleep: a poller for
// events and interrupts of its loop, a parked scheduler for its token. All three are events here.
//
// Waking a sleeping CPU costs 30 us on many virtual machines, a thousand times a switch, and then a server
// with few active connections gets 2.5 times the requests, at no more CPU for each, by not sleeping, and two
// contexts that answer each other 50 times the answers. Elsewhere the host wakes a CPU in 2 us, and spinning
// only burns. So the policy tries, measures, and keeps what pays; it looks every kWindowNs.
//
//   off -> trial   more than 1/8 as many sleeps as events in a window, and the back-off is over or events
//                  come twice as fast as before the last trial: the window that ends is what spinning has to
//                  beat
//   trial -> on    in kWindowsOfTrial windows together events cost clearly less CPU than without, or came so
//                  much faster that it is worth their price (pays())
//   trial -> off   otherwise; the back-off doubles, up to kBackoffMaxNs
//   on, trial      fewer than 3/4 of a window's spins found something (the load went away), in a trial only
//     -> off       from the third window on: back-off as above
//   on -> off      kWindowsOn windows have passed: one window without, to compare anew; twice as many when
//                  that has confirmed it, up to kWindowsOnMax
//
// Two that wait for each other gain little unless both spin. They notice it in the same windows, so their
// trials overlap.
//
// A window with a pause in it, between two bursts of a load, or that two threads polled, says nothing of cost
// and is left out of a trial, which may so stretch over several bursts.
//
// A loop with nothing to do never spins: nothing wakes it (L13). Rejected: a fixed spin (costs CPU under a
// slow load); the number of sleeps alone as the reason (+18 % CPU for +7 % requests where the host wakes CPUs
// quickly); to give up at the first pause (a load in bursts of 50 ms never got to spin, with 0.9 of the bare
// loop's requests instead of 1.24 at 4 connections, 1.0 instead of 2.5 at 1); naps and yields between polls
// (no gain); more looks for an interrupt between two polls (a seventh, of a fiftieth). Not thread-safe: the
// waiting thread's own.

#include <cstdint>

namespace weft {

class SpinPolicy {
 public:
  static constexpr std::int64_t kSpinNs = 50'000;
  static constexpr std::int64_t kWindowNs = 20'000'000;
  static constexpr std::int64_t kBackoffMaxNs = 2'560'000'000;
  static constexpr std::uint32_t kWindowsOfTrial = 3;      ///< that can be compared
  static constexpr std::uint32_t kWindowsOfTrialMax = 25;  ///< pauses and all
  static constexpr std::uint32_t kWindowsOn = 100;         ///< at first
  static constexpr std::uint32_t kWindowsOnMax = 3'200;

  /// What the calling thread has used so far, and which thread that is.
  struct Cpu {
    std::int64_t time_ns;
    std::uint64_t thread;
  };

  bool spinning() const noexcept { return mode_ != Mode::kOff; }

  /// A poll brought `events`; `sleeps`: how often the thread had to sleep for them, or an estimate.
  void polled(std::uint64_t events, std::uint64_t sleeps) noexcept {
    events_ += events;
    sleeps_ += sleeps;
  }

  /// A spin ended; `useful`: with something found.
  void spun(bool useful) noexcept {
    ++spins_;
    if (useful) ++useful_spins_;
  }

  /// True when the window is over: the caller asks the kernel for its CPU time and calls decide().
  bool window_over(std::int64_t now_ns) const noexcept { return now_ns >= window_end_ns_; }
  void decide(std::int64_t now_ns, Cpu cpu) noexcept;

 private:
  enum class Mode : std::uint8_t { kOff, kTrial, kOn };

  /// What events cost in one window or several; no events: not comparable.
  struct Cost {
    double events = 0;
    double cpu_ns = 0;
    double length_ns = 0;

    void add(const Cost& other) noexcept {
      events += other.events;
      cpu_ns += other.cpu_ns;
      length_ns += other.length_ns;
    }
    double cpu_per_event() const noexcept { return cpu_ns / events; }
    double rate() const noexcept { return events / length_ns; }
  };

  Cost cost_of_window(std::int64_t now_ns, Cpu cpu) const noexcept;
  void decide_off(std::int64_t now_ns, const Cost& cost) noexcept;
  void decide_trial(std::int64_t now_ns, const Cost& cost) noexcept;
  void decide_on(std::int64_t now_ns) noexcept;
  void give_up(std::int64_t now_ns) noexcept;
  bool mostly_in_vain() const noexcept;
  bool pays() const noexcept;

  Mode mode_ = Mode::kOff;
  std::uint32_t windows_ = 0;   // in this mode
  std::uint32_t compared_ = 0;  // of them in this trial
  std::uint32_t windows_on_ = kWindowsOn;
  std::uint64_t events_ = 0;
  std::uint64_t sleeps_ = 0;
  std::uint64_t spins_ = 0;
  std::uint64_t useful_spins_ = 0;
  std::int64_t window_start_ns_ = 0;
  std::int64_t window_end_ns_ = 0;
  Cpu window_cpu_{0, 0};
  Cost without_;  // the window before the trial
  Cost with_;     // the trial
  std::int64_t backoff_ns_ = kWindowNs;
  std::int64_t off_until_ns_ = 0;
};

}  // namespace weft
