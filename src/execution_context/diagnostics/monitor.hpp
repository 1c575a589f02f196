// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thread of the process that watches all schedulers (S8, S11). It uses no fiber facility.
//
// While anything runs it looks at every scheduler each kLookIntervalNs: one that has run the same fiber since
// the look before is stuck. In a context with siblings they get its fibers and its poll duty
// (Context::relieve); from a threshold on it is reported once (include/weft/monitor.hpp). Isolated contexts
// are not looked at: they are for fibers that keep their thread. When all schedulers have slept for
// kIdleLooks looks the monitor parks, and costs nothing (L13); before that it asks whether anybody can go on
// at all, it sees to it that free stacks are given back (memory_trim.hpp), and it stays awake for a while
// beside a context that does not end (docs/design/deadlock.md).
//
// Thread safety: any thread. Litmus (store buffering, all seq_cst): the monitor says that it is parked, then
// looks who is awake, which context is being closed and which migrations are to be told; a scheduler says
// that it is awake, and a closer that it closes, then looks whether the monitor is parked. A scheduler pays
// for that when it wakes from a sleep, not when it switches.

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

#include <cstdint>

namespace weft {

class Monitor {
 public:
  static constexpr std::int64_t kLookIntervalNs = 10'000'000;
  static constexpr int kIdleLooks = 10;

  /// Starts the thread, if that has not been done. Throws std::system_error.
  static void start();

  /// By a scheduler that was asleep.
  static void scheduler_woke_up() noexcept {
    if (parked_.load(seq_cst) != 0) [[unlikely]]
      unpark();
  }

  /// Makes it look again.
  static void unpark() noexcept;

  /// In a child of fork(), which has no such thread: start() starts one.
  static void forget_thread() noexcept;

  /// Whether the thread sleeps until a scheduler wakes up. For tests.
  static bool parked() noexcept { return parked_.load(seq_cst) == kUntilWoken; }

 private:
  [[noreturn]] static void run() noexcept;
  // What parked_ says while it is not 0.
  static constexpr std::uint32_t kUntilWoken = 1;  ///< or somebody may be deadlocked
  static constexpr std::uint32_t kUntilTrim = 2;

  static void rest(std::int64_t deadlock_ns, std::int64_t trim_ns) noexcept;
  static void park(std::int64_t until_ns, std::uint32_t value) noexcept;

  alignas(kCacheLine) static Atomic<std::uint32_t> parked_;
};

}  // namespace weft
