// SPDX-License-Identifier: Apache-2.0
#include "execution_context/memory/memory_trim.hpp"

#include "execution_context/context.hpp"
#include "execution_context/context_registry.hpp"
#include "fiber/stack_pool.hpp"

namespace weft {
namespace {

/// Of contexts that the monitor looks at.
template <class Visit>
void for_each_scheduler(Visit&& visit) {
  ContextRegistry::instance().for_each([&](Context& context) {
    if (!context.isolated()) context.for_each_scheduler(visit);
  });
}

/// Another number than before: a thread may have stacks that it had not.
std::uint64_t fibers_finished() {
  std::uint64_t count = 0;
  for_each_scheduler([&](Scheduler& scheduler) { count += scheduler.counters().finished.load(relaxed); });
  return count;
}

void ask_threads_for_stacks() {
  ContextRegistry::instance().for_each([](Context& context) {
    if (!context.isolated()) context.ask_for_stacks();
  });
}

bool somebody_is_asked() {
  bool found = false;
  for_each_scheduler([&](Scheduler& scheduler) { found = found || scheduler.asked_for_stacks(); });
  return found;
}

}  // namespace

void MemoryTrim::look(std::int64_t now_ns, bool fibers_ran) noexcept {
  if (!fibers_ran && woke_threads()) return;
  stage_ = Stage::kWaiting;
  StackPool& pool = StackPool::process();
  if (now_ns - period_since_ns_ >= kPeriodNs) {
    period_since_ns_ = now_ns;
    pool.end_period();
    more_ = true;
  }
  if (more_) more_ = give_portion(now_ns + kPortionNs);
}

bool MemoryTrim::give_portion(std::int64_t until_ns) noexcept {
  std::size_t trimmed = 0;
  return StackPool::process().trim_until(until_ns, trimmed);
}

std::int64_t MemoryTrim::look_idle(std::int64_t now_ns) noexcept {
  StackPool& pool = StackPool::process();
  switch (stage_) {
    case Stage::kWaiting: {
      const std::uint64_t finished = fibers_finished();
      if (finished == finished_when_given_ && !pool.has_free()) return kNever;
      if (now_ns - all_given_ns_ < kPeriodNs) return all_given_ns_ + kPeriodNs;
      finished_when_given_ = finished;
      asked_looks_ = 0;
      stage_ = Stage::kAsked;
      ask_threads_for_stacks();
      return now_ns;
    }
    case Stage::kAsked:
      if (somebody_is_asked() && ++asked_looks_ < kAskedLooksMax) return now_ns;
      pool.give_up_free();
      more_ = true;
      stage_ = Stage::kGiving;
      [[fallthrough]];
    case Stage::kGiving: break;
  }
  more_ = give_portion(now_ns + kIdlePortionNs);
  if (more_) return now_ns;
  all_given_ns_ = now_ns;
  stage_ = Stage::kWaiting;
  return kNever;
}

}  // namespace weft
