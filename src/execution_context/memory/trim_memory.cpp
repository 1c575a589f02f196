// SPDX-License-Identifier: Apache-2.0
#include <weft/memory.hpp>

#include "base/clock.hpp"
#include "fiber/runner.hpp"
#include "fiber/stack_pool.hpp"

namespace weft {
namespace {

constexpr std::int64_t kPortionNs = 1'000'000;

void leave_stacks_of_this_thread() noexcept {
  Runner* const runner = this_runner();
  if (runner != nullptr && runner->stacks != nullptr) runner->stacks->flush();
}

void let_others_run() noexcept {
  if (this_fiber_or_null() != nullptr) this_runner()->let_others_run();
}

}  // namespace

std::size_t trim_memory() noexcept {
  StackPool& pool = StackPool::process();
  leave_stacks_of_this_thread();
  pool.give_up_free();
  std::size_t trimmed = 0;
  while (pool.trim_until(monotonic_ns() + kPortionNs, trimmed)) let_others_run();
  return trimmed;
}

}  // namespace weft
