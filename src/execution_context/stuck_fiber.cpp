// SPDX-License-Identifier: Apache-2.0
#include "execution_context/stuck_fiber.hpp"

#include "execution_context/thread_backtrace.hpp"
#include "fiber/describe.hpp"

#include <weft/monitor.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

namespace weft {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kDefaultThresholdMs = 100;

/// WEFT_STUCK_REPORT_MS, or the default if it is not there or makes no sense.
std::int64_t threshold_of_environment() noexcept {
  const char* const text = std::getenv("WEFT_STUCK_REPORT_MS");
  if (text == nullptr) return kDefaultThresholdMs;
  const std::string_view digits = text;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && ms >= 0 ? ms : kDefaultThresholdMs;
}

struct Settings {
  Atomic<std::int64_t> threshold_ms{threshold_of_environment()};
  std::mutex lock;
  StuckHandler handler;  // guarded by lock
};

Settings& settings() noexcept {
  // Never destroyed, as the monitor's thread never ends; and not on the heap, as the first look comes
  // whenever the machine is busy, and a request allocates nothing.
  alignas(Settings) static std::byte storage[sizeof(Settings)];
  static Settings* const instance = new (storage) Settings();
  return *instance;
}

StuckHandler current_handler() {
  std::scoped_lock lock(settings().lock);
  return settings().handler;
}

}  // namespace

void set_stuck_report_after(std::chrono::milliseconds threshold) noexcept {
  settings().threshold_ms.store(std::max<std::int64_t>(threshold.count(), 0), relaxed);
}

void set_stuck_handler(StuckHandler handler) {
  std::scoped_lock lock(settings().lock);
  std::swap(settings().handler, handler);
}

bool stuck_for_too_long(std::int64_t stuck_ns) noexcept {
  const std::int64_t ms = settings().threshold_ms.load(relaxed);
  return ms != 0 && stuck_ns / kNsPerMs >= ms;
}

std::optional<StuckFiber> StuckFiber::of(Context& context, Scheduler& scheduler, std::int64_t stuck_ns) {
  Fiber* const fiber = scheduler.running();
  if (fiber == nullptr || !fiber->try_reference()) return std::nullopt;
  StuckFiber stuck(context, scheduler, *fiber, stuck_ns);
  fiber->release(StackPool::process(), nullptr);
  return stuck;
}

StuckFiber::StuckFiber(Context& context, Scheduler& scheduler, Fiber& fiber, std::int64_t stuck_ns)
    : context_(context.name()),
      scheduler_(context.lane() + scheduler.index()),
      thread_id_(scheduler.thread_id()),
      id_(fiber.id),
      description_(FiberDescription(fiber).view()),
      stack_low_(fiber.stack_low()),
      stack_top_(fiber.stack_top()),
      stuck_ns_(stuck_ns) {}

void StuckFiber::report() const {
  std::array<void*, 64> frames;
  const std::size_t count = backtrace_of_thread(thread_id_, stack_low_, stack_top_, frames);
  const StuckReport report{.context = context_,
                           .scheduler = scheduler_,
                           .fiber_id = id_,
                           .fiber = description_,
                           .stuck_for = std::chrono::nanoseconds(stuck_ns_),
                           .backtrace = std::span<void* const>(frames).first(count)};
  const StuckHandler handler = current_handler();
  handler ? handler(report) : print_stuck_report(report);
}

}  // namespace weft
