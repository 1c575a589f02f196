// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/stuck_fiber.hpp"

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "execution_context/diagnostics/report_handler.hpp"
#include "execution_context/diagnostics/stuck_places.hpp"
#include "execution_context/diagnostics/thread_backtrace.hpp"
#include "fiber/describe.hpp"

#include <weft/monitor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace weft {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kDefaultThresholdMs = 100;

struct Settings {
  Atomic<std::int64_t> threshold_ms{
      number_in_environment("WEFT_STUCK_REPORT_MS").value_or(kDefaultThresholdMs)};
  ReportHandler<StuckReport> handler;
};

Settings& settings() noexcept {
  // Never destroyed, as the monitor's thread never ends; and not on the heap, as the first look comes
  // whenever the machine is busy, and a request allocates nothing.
  alignas(Settings) static std::byte storage[sizeof(Settings)];
  static Settings* const instance = new (storage) Settings();
  return *instance;
}

}  // namespace

void make_stuck_settings() noexcept { settings(); }

void set_stuck_report_after(std::chrono::milliseconds threshold) noexcept {
  settings().threshold_ms.store(std::max<std::int64_t>(threshold.count(), 0), relaxed);
}

void set_stuck_handler(StuckHandler handler) { settings().handler.set(std::move(handler)); }

bool stuck_for_too_long(const Context& context, std::int64_t stuck_ns) noexcept {
  const auto own = context.stuck_report_after();
  const std::int64_t ms =
      own ? std::max<std::int64_t>(own->count(), 0) : settings().threshold_ms.load(relaxed);
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
      spawned_at_(fiber.spawned_at),
      stack_low_(fiber.stack_low()),
      stack_top_(fiber.stack_top()),
      stuck_ns_(stuck_ns) {}

void StuckFiber::report() const {
  static constinit StuckPlaces places;  // the monitor's
  if (settings().handler.empty() && !places.tell_now(spawned_at_, monotonic_ns())) return;
  std::array<void*, 64> frames;
  const std::size_t count = backtrace_of_thread(thread_id_, stack_low_, stack_top_, frames);
  const StuckReport report{.context = context_,
                           .scheduler = scheduler_,
                           .fiber_id = id_,
                           .fiber = description_,
                           .spawned_at = spawned_at_,
                           .stuck_for = std::chrono::nanoseconds(stuck_ns_),
                           .backtrace = std::span<void* const>(frames).first(count)};
  settings().handler.tell(report, print_stuck_report);
}

}  // namespace weft
