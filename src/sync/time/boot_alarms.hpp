// SPDX-License-Identifier: Apache-2.0
#pragma once

// Alarms on the boot clock: one heap for the process, one timer of the kernel, one thread of the library that
// sleeps in a read of it. The timers of event loops are on the monotonic clock, which stands still while the
// machine is suspended; the kernel wakes nobody when it goes on, except by such a timer.
//
// Thread safety: any thread. One mutex guards it all. Guarantees: BA1 an alarm rings once, not before its
// time, with the mutex held; after disarm() it does not ring. In a child of fork() none of the parent's
// rings. BA2 the kernel's timer is set for the earliest alarm, or earlier.

#include "base/timer.hpp"

#include <weft/result.hpp>

#include <cstdint>
#include <mutex>
#include <stop_token>

namespace weft {

struct BootAlarmQueue;

class BootAlarm : public Timer {
 public:
  BootAlarmQueue* queue = nullptr;  ///< where it is armed; guarded by the mutex

  /// With the mutex; must not call the program's code. What it returns is asked to stop afterwards, without
  /// the mutex.
  virtual std::stop_source ring() noexcept = 0;

 protected:
  ~BootAlarm() = default;
};

class BootAlarms {
 public:
  /// The boot clock; of the simulated world that the calling fiber lives in, its virtual clock.
  static std::int64_t now_ns() noexcept;
  /// Whether time is virtual here: then a Deadline of the same number is what is wanted.
  static bool simulated() noexcept;

  static std::mutex& lock() noexcept;
  /// REQUIRES: the lock is held. Errors of the kernel: it is not armed.
  static Result<void> arm_locked(BootAlarm& alarm, std::int64_t time_ns) noexcept;
  static void disarm(BootAlarm& alarm) noexcept;

  /// As if the machine had been suspended for so long. For tests.
  static void pretend_suspended(std::int64_t duration_ns) noexcept;
};

}  // namespace weft
