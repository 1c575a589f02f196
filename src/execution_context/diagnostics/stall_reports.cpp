// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/stall_reports.hpp"
#include "execution_context/diagnostics/monitor.hpp"

#include "base/atomic.hpp"
#include "base/environment.hpp"
#include "base/saturating.hpp"
#include "base/standard_error.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/report_handler.hpp"

#include <weft/dump.hpp>

#include <algorithm>
#include <cstddef>
#include <new>

namespace weft {
namespace {

constexpr std::int64_t kLeakDefaultMs = 2'000;

DeadlockDetection detection_of_environment() noexcept {
  const char* const text = std::getenv("WEFT_DEADLOCK_REPORT");
  const std::string_view name = text == nullptr ? "" : text;
  if (name == "off") return DeadlockDetection::kOff;
  if (name == "assume-threads-idle") return DeadlockDetection::kAssumeThreadsIdle;
  return DeadlockDetection::kCertain;
}

struct StallSettings {
  Atomic<DeadlockDetection> detection{detection_of_environment()};
  Atomic<std::int64_t> leak_ms{number_in_environment("WEFT_LEAK_REPORT_MS").value_or(kLeakDefaultMs)};
  ReportHandler<DeadlockReport> deadlock_handler;
  ReportHandler<LeakReport> leak_handler;
};

StallSettings& stall_settings() noexcept {
  // In static storage without a destructor: the monitor's thread never ends.
  alignas(StallSettings) static std::byte storage[sizeof(StallSettings)];
  static StallSettings* const instance = new (storage) StallSettings();
  return *instance;
}

std::string count_of(std::size_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

void print_deadlock(const DeadlockReport& report) {
  const std::string fibers = count_of(report.fibers, "fiber"), threads = count_of(report.threads, "thread");
  std::string text = "weft: deadlock: nothing can run any more: ";
  text += fibers + " and " + threads + " wait for one another\n";
  write_report_to_stderr(text.append(report.dump));
}

void print_leak(const LeakReport& report) {
  using Milliseconds = std::chrono::milliseconds;
  std::string text = "weft: context \"";
  text.append(report.context).append("\" has been shutting down for ");
  text +=
      std::to_string(std::chrono::duration_cast<Milliseconds>(report.shutting_down_for).count()) + " ms: ";
  text += count_of(report.fibers, "fiber");
  text += report.fibers == 1 ? " was cancelled and does" : " were cancelled and do";
  text += " not end\n";
  write_report_to_stderr(text.append(report.dump));
}

}  // namespace

void make_stall_settings() noexcept { stall_settings(); }

void set_deadlock_detection(DeadlockDetection detection) noexcept {
  stall_settings().detection.store(detection, relaxed);
}
DeadlockDetection deadlock_detection() noexcept { return stall_settings().detection.load(relaxed); }
void set_deadlock_handler(DeadlockHandler handler) {
  stall_settings().deadlock_handler.set(std::move(handler));
}

void report_deadlock(std::size_t fibers, std::size_t threads) {
  const std::string dump = dump_to_string();
  stall_settings().deadlock_handler.tell({.fibers = fibers, .threads = threads, .dump = dump},
                                         print_deadlock);
}

void set_leak_report_after(std::chrono::milliseconds threshold) noexcept {
  stall_settings().leak_ms.store(std::max<std::int64_t>(threshold.count(), 0), seq_cst);
  Monitor::unpark();  // something may have become worth a look
}
std::int64_t leak_report_after_ns() noexcept {
  return saturating_multiply(stall_settings().leak_ms.load(seq_cst), 1'000'000);
}
void set_leak_handler(LeakHandler handler) { stall_settings().leak_handler.set(std::move(handler)); }

void Leak::report() const {
  const FiberList fibers = dump_of_context(context);
  if (fibers.count == 0) return;
  stall_settings().leak_handler.tell({.context = name,
                                      .fibers = fibers.count,
                                      .shutting_down_for = std::chrono::nanoseconds(closing_ns),
                                      .dump = fibers.text},
                                     print_leak);
}

}  // namespace weft
