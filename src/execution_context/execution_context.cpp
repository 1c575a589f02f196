// SPDX-License-Identifier: Apache-2.0
#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

#include "execution_context/context.hpp"
#include "execution_context/scheduler/parallelism.hpp"

namespace weft {
namespace {

detail::OwnedContext make_core(ContextOptions options) {
  return detail::OwnedContext(new Context(std::move(options)));
}

}  // namespace

void detail::DeleteContext::operator()(Context* core) const noexcept { delete core; }

ExecutionContext::ExecutionContext(detail::OwnedContext core) noexcept : core_(std::move(core)) {}
ExecutionContext::~ExecutionContext() = default;

Context& ExecutionContext::spawn_target() const noexcept { return core_->spawn_context(); }
std::string_view ExecutionContext::name() const noexcept { return core_->name(); }
std::uint32_t ExecutionContext::parallelism() const noexcept { return core_->thread_count(); }
EventLoopStrategy ExecutionContext::strategy() const noexcept { return core_->strategy(); }
ContextCounters ExecutionContext::counters() const noexcept { return core_->counters(); }
EventLoopCounters ExecutionContext::event_loop_counters() const noexcept {
  return core_->event_loop_counters();
}

ParallelContext::ParallelContext(std::string name, const ParallelOptions& options)
    : ExecutionContext(weft::make_core({.name = std::move(name),
                                        .parallelism = checked_parallelism(options.parallelism),
                                        .resizable = true,
                                        .strategy = options.strategy,
                                        .stuck_report_after = options.stuck_report_after})) {}

void ParallelContext::resize(std::uint32_t parallelism) { core_->resize(checked_parallelism(parallelism)); }

ConcurrentContext::ConcurrentContext(std::string name, const ConcurrentOptions& options)
    : ExecutionContext(weft::make_core({.name = std::move(name),
                                        .strategy = options.strategy,
                                        .stuck_report_after = options.stuck_report_after})) {}

detail::OwnedContext IsolatedContext::make_core(const std::string& name, const IsolatedOptions& options) {
  Context& spawn_context = options.spawn_context == nullptr ? detail::current_spawn_context()
                                                            : detail::Access::core(*options.spawn_context);
  detail::OwnedContext core = weft::make_core({.name = name, .isolated = true, .strategy = options.strategy});
  core->set_spawn_context(spawn_context.spawn_context());
  return core;
}

}  // namespace weft
