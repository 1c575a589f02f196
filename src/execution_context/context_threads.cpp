// SPDX-License-Identifier: Apache-2.0
// The threads of a context: started, told to leave, stopped (S7).
#include "execution_context/scheduler/context_lanes.hpp"
#include "sys/thread.hpp"

#include <string>
#include <system_error>
#include <utility>
#include <vector>

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

// All or none: fibers are dealt to lanes as soon as they are added, and none ever goes. What was added in
// vain stays in `added`, for the caller: its end may suspend. REQUIRES: resize_lock_ held, a leader.
void Context::add_lanes(std::uint32_t until, std::vector<std::unique_ptr<Context>>& added) {
  for (std::uint32_t lane = lanes_->count(); lane < until; ++lane) {
    added.push_back(std::make_unique<Context>(ContextOptions{.name = name_,
                                                             .lane_of = this,
                                                             .lane = lane,
                                                             .strategy = strategy_,
                                                             .stuck_report_after = stuck_report_after_}));
  }
  for (std::unique_ptr<Context>& lane : added) lanes_->add(std::move(lane));
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
  std::vector<std::unique_ptr<Context>> added;  // goes after the lock
  std::scoped_lock lock(resize_lock_);
  if (lanes_ != nullptr) {
    if (parallelism < lanes_->count()) {
      throw std::system_error(
          std::make_error_code(std::errc::operation_not_supported),
          "weft: fibers stay on their threads under " + strategy_.to_string() + ": none can be retired");
    }
    return add_lanes(parallelism, added);
  }
  struct RetireAtExit {
    Context& context;
    std::uint32_t parallelism;
    ~RetireAtExit() {
      if (context.parallelism_.load(relaxed) != parallelism) context.retire_above(parallelism);
    }
  } retire{*this, parallelism_.load(relaxed)};  // by an exception: those that were started leave again
  while (parallelism_.load(relaxed) < parallelism) add_scheduler();
  retire.parallelism = parallelism;
}

// REQUIRES: resize_lock_ held.
void Context::retire_above(std::uint32_t parallelism) noexcept {
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
