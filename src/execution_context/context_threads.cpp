// SPDX-License-Identifier: Apache-2.0
// The threads of a context: started, told to leave, stopped (S7).
#include "execution_context/context_lanes.hpp"
#include "sys/thread.hpp"

#include <string>
#include <system_error>

namespace weft {

// REQUIRES: resize_lock_ held.
void Context::add_scheduler() {
  const std::uint32_t index = parallelism_.load(relaxed);
  if (index == scheduler_count_.load(relaxed)) {
    schedulers_[index].store(new Scheduler(*this, index), relaxed);
    scheduler_count_.store(index + 1, release);  // pairs with the acquires of those who look at schedulers
  }
  parallelism_.store(index + 1, release);
  if (index != 0 || !uses_calling_thread_) start_thread(index);
}

// REQUIRES: resize_lock_ held, a leader.
void Context::add_lane() {
  lanes_->add(std::make_unique<Context>(
      ContextOptions{.name = name_, .lane_of = this, .lane = lanes_->count(), .strategy = strategy_}));
}

std::uint32_t Context::thread_count() const noexcept {
  return lanes_ == nullptr ? parallelism() : lanes_->count();
}

// REQUIRES: resize_lock_ held.
void Context::start_thread(std::uint32_t index) {
  if (active_[index]) return;  // it was told to leave, has not done so yet, and now finds that it may stay
  std::thread& thread = threads_[index];
  if (thread.joinable()) thread.join();
  try {
    thread = std::thread([this, index] { thread_main(*schedulers_[index].load(relaxed)); });
    active_[index] = true;
  } catch (const std::system_error&) {
    parallelism_.store(index, release);
    throw;
  }
}

void Context::thread_main(Scheduler& scheduler) noexcept {
  const std::string suffix = '-' + std::to_string(lane_ + scheduler.index());
  [[maybe_unused]] const auto named = sys::set_thread_name(name_.substr(0, 15 - suffix.size()) + suffix);
  do {
    scheduler.run();
  } while (!may_leave(scheduler));
}

bool Context::may_leave(Scheduler& scheduler) noexcept {
  if (drained()) return true;  // stop_threads() joins, and resize() is not called any more
  std::scoped_lock lock(resize_lock_);
  if (scheduler.index() < parallelism_.load(relaxed)) return false;
  active_[scheduler.index()] = false;
  return true;
}

void Context::resize(std::uint32_t parallelism) {
  WEFT_ASSERT(resizable_, "this execution context cannot be resized");
  if (parallelism < 1 || parallelism > kParallelismMax) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft: parallelism out of range");
  }
  std::scoped_lock lock(resize_lock_);
  if (lanes_ != nullptr) {
    if (parallelism < lanes_->count()) {
      throw std::system_error(
          std::make_error_code(std::errc::operation_not_supported),
          "weft: fibers stay on their threads under " + strategy_.to_string() + ": none can be retired");
    }
    while (lanes_->count() < parallelism) add_lane();
    return;
  }
  while (parallelism_.load(relaxed) < parallelism) add_scheduler();
  if (parallelism_.load(relaxed) == parallelism) return;
  parallelism_.store(parallelism, seq_cst);
  wake_everybody();  // those who are to leave may be asleep
}

void Context::stop_threads() noexcept {
  drained_.store(true, seq_cst);
  wake_everybody();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace weft
