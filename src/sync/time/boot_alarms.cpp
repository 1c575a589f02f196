// SPDX-License-Identifier: Apache-2.0
#include "sync/time/boot_alarms.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "base/fork_count.hpp"
#include "base/saturating.hpp"
#include "event_loop/timers/timers.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/library_thread.hpp"
#include "fiber/runner.hpp"
#include "sys/futex.hpp"
#include "sys/signal.hpp"
#include "sys/timer_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <time.h>

namespace weft {

struct BootAlarmQueue {
  explicit BootAlarmQueue(std::int64_t now_ns) noexcept : queue(now_ns) {}

  TimerQueue queue;
  sys::TimerFd timer;
  std::int64_t set_for_ns = TimerQueue::kNever;
};

namespace {

/// What the tests have added.
constinit Atomic<std::int64_t> pretended_ns{0};

std::int64_t kernel_now_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec + pretended_ns.load(relaxed);
}

constinit std::mutex alarms_lock;  // held over a fork
// Guarded by it. Made with the first alarm, in a child of fork() anew: that of the parent is left, as its
// alarms stand in it, and its timer is the parent's.
constinit BootAlarmQueue* alarms = nullptr;
constinit std::uint32_t alarms_forks = 0;

Result<void> set_timer_locked() noexcept {
  const std::int64_t next_ns = alarms->queue.next_deadline_ns();
  if (next_ns == TimerQueue::kNever || next_ns >= alarms->set_for_ns) return {};
  const std::int64_t kernel_ns = next_ns - pretended_ns.load(relaxed);
  const Result<void> set = alarms->timer.set(std::max<std::int64_t>(1, kernel_ns));
  if (set) alarms->set_for_ns = next_ns;
  return set;
}

/// False: the kernel has refused to be set for the next one.
bool ring_what_is_due() noexcept {
  std::unique_lock locked(alarms_lock);
  const std::int64_t now = kernel_now_ns();
  alarms->set_for_ns = TimerQueue::kNever;
  while (Timer* const timer = alarms->queue.pop_expired(now)) {
    std::stop_source stop = static_cast<BootAlarm&>(*timer).ring();
    if (!stop.stop_possible()) continue;
    locked.unlock();
    stop.request_stop();
    locked.lock();
  }
  return set_timer_locked().has_value();
}

void nap() noexcept {
  constexpr std::int64_t kNapNs = 10'000'000;
  static Atomic<std::uint32_t> nobody_wakes{0};
  sys::futex_wait(nobody_wakes, 0, Deadline::at_ns(monotonic_ns() + kNapNs));
}

[[noreturn]] void wait_for_alarms(sys::TimerFd& timer) noexcept {
  const LibraryThread thread("weft-boot-clock");
  for (;;) {
    timer.wait();
    while (!ring_what_is_due()) nap();
  }
}

Result<void> start_locked() noexcept {
  if (alarms != nullptr && alarms_forks == fork_count) return {};
  prepare_for_fork();  // before the handlers below: a child counts its fork before it looks here
  [[maybe_unused]] static const int prepared = ::pthread_atfork(
      [] { alarms_lock.lock(); }, [] { alarms_lock.unlock(); }, [] { alarms_lock.unlock(); });
  Result<sys::TimerFd> timer = sys::TimerFd::create_on_boot_clock();
  if (!timer) return timer.error();
  try {
    auto made = std::make_unique<BootAlarmQueue>(kernel_now_ns());
    made->timer = std::move(*timer);
    const sys::BlockedSignals none(sys::all_signals());
    std::thread(wait_for_alarms, std::ref(made->timer)).detach();
    alarms = made.release();  // that of a parent is left: its alarms stand in it
    alarms_forks = fork_count;
    return {};
  } catch (const std::system_error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    return std::make_error_code(std::errc::not_enough_memory);
  }
}

}  // namespace

bool BootAlarms::simulated() noexcept {
  const Runner* const runner = this_runner();
  return runner != nullptr && runner->network != nullptr;
}

std::int64_t BootAlarms::now_ns() noexcept { return simulated() ? weft::now_ns() : kernel_now_ns(); }

std::mutex& BootAlarms::lock() noexcept { return alarms_lock; }

Result<void> BootAlarms::arm_locked(BootAlarm& alarm, std::int64_t time_ns) noexcept {
  if (time_ns == TimerQueue::kNever) return {};
  if (const Result<void> started = start_locked(); !started) return started;
  alarm.queue = alarms;
  alarms->queue.arm(alarm, time_ns);
  const Result<void> set = set_timer_locked();
  if (!set) alarms->queue.cancel(alarm);
  return set;
}

void BootAlarms::disarm(BootAlarm& alarm) noexcept {
  const std::scoped_lock locked(alarms_lock);
  if (alarm.queue != nullptr) alarm.queue->queue.cancel(alarm);
}

void BootAlarms::pretend_suspended(std::int64_t duration_ns) noexcept {
  const std::scoped_lock locked(alarms_lock);
  pretended_ns.fetch_add(duration_ns, relaxed);
  if (alarms == nullptr) return;
  alarms->set_for_ns = TimerQueue::kNever;
  static_cast<void>(set_timer_locked());
}

}  // namespace weft
