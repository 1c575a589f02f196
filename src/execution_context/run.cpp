// SPDX-License-Identifier: Apache-2.0
#include <weft/run.hpp>

#include "event_loop/checked_strategy.hpp"
#include "execution_context/context.hpp"
#include "execution_context/scheduler/parallelism.hpp"
#include "execution_context/signals/stop_on.hpp"

#include <memory>

namespace weft::detail {

MainContext::MainContext(const RunOptions& options) {
  // A fiber that has called fork() is no more than a thread, in the child.
  const Context* const around = current_context();
  WEFT_ASSERT(around == nullptr || around->inherited(), "run() is called in a fiber");
  const EventLoopStrategy strategy = checked_strategy(options.strategy);
  const std::uint32_t parallelism = checked_parallelism(options.parallelism);
  std::unique_ptr<StopOn> stop_on;
  if (!options.stop_on.empty()) stop_on = std::make_unique<StopOn>(options.stop_on);
  core_ = new Context(ContextOptions{
      .name = "default",
      .parallelism = parallelism,
      .resizable = parallelism != 1,  // the usual one thread gets the cheaper queues of one that stays alone
      .uses_calling_thread = true,
      .isolated = false,
      .strategy = strategy,
      .stuck_report_after = options.stuck_report_after,
      .event_loop = nullptr});
  stop_on_ = stop_on.release();
  default_before_ = exchange_default_strategy(strategy);
}

MainContext::~MainContext() {
  delete core_;
  delete stop_on_;
  exchange_default_strategy(default_before_);
}

Context& MainContext::core() noexcept { return *core_; }
void MainContext::run() noexcept { core_->run(); }
void MainContext::close() noexcept { core_->close_after_main(); }

}  // namespace weft::detail
