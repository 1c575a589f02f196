// SPDX-License-Identifier: Apache-2.0
#include <weft/blocking_pool.hpp>

#include "blocking/pool_core.hpp"

#include <weft/blocking.hpp>

#include <exception>

namespace weft {
namespace detail {

void DeleteBlockingPool::operator()(BlockingPoolCore* core) const noexcept { delete core; }

Result<void> run_on_pool(BlockingPoolCore& core, void (*run)(void*), void* call, Deadline deadline,
                         BlockingStart start) {
  BlockingTask task;
  task.run = run;
  task.call = call;
  const Result<void> ran = core.run(task, deadline, start);
  if (task.exception != nullptr) [[unlikely]]
    std::rethrow_exception(std::move(task.exception));
  return ran;
}

}  // namespace detail

BlockingPool::BlockingPool(BlockingOptions options) : core_(new BlockingPoolCore(std::move(options))) {}

BlockingPool::BlockingPool(std::string name, BlockingOptions options) {
  options.name = std::move(name);
  core_.reset(new BlockingPoolCore(std::move(options)));
}

void BlockingPool::resize(std::uint32_t threads_max) { core_->resize(threads_max); }

std::string_view BlockingPool::name() const noexcept { return core_->name(); }

BlockingCounters BlockingPool::counters() const noexcept { return core_->counters(); }

// Never destroyed: fibers of other threads may use it until the process has ended.
BlockingPool& default_blocking_pool() noexcept {
  static BlockingPool* const pool = new BlockingPool();
  return *pool;
}

}  // namespace weft
