// SPDX-License-Identifier: Apache-2.0
// The callers' half of a blocking pool: they queue, see to it that a thread comes, and wait.
#include "blocking/pool_core.hpp"

#include "base/panic.hpp"
#include "base/spin_backoff.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/runner.hpp"

#include <weft/detail/failure.hpp>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

namespace weft {
namespace {

std::uint32_t checked_threads_max(std::uint32_t threads_max) {
  if (threads_max >= 1 && threads_max <= BlockingPoolCore::kThreadsMax) return threads_max;
  throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                          "weft: a blocking pool has 1 to 1,000 threads");
}

/// Its time is virtual, and stands still while anything runs.
bool in_simulated_world() noexcept {
  const Runner* const runner = this_runner();
  return runner != nullptr && runner->network != nullptr;
}

/// The caller is still within its scope and its time. What has ended before does not start by chance.
Result<void> may_start(Waiter& self, Deadline deadline) noexcept {
  if (const WaitOutcome ended = self.cancellation(); ended != WaitOutcome::kReady)
    return result_of_outcome(ended);
  if (!deadline.is_never() && deadline.passed()) return Errc::timed_out;
  return {};
}

constexpr std::string_view kStarting = "starting a thread of blocking pool";
std::error_code no_thread_error() noexcept { return {EAGAIN, std::system_category()}; }

void describe_call(const char* what, const void* object, WaitDescription& description) noexcept {
  description.add(what);
  description.add(static_cast<const BlockingTask*>(object)->pool->name());
  description.add("\"");
  description.external = true;
}

[[maybe_unused]] const bool pool_thread_described =
    set_wait_describer(WaitKind::kPoolThread, [](const void* object, WaitDescription& description) noexcept {
      describe_call("a thread of blocking pool \"", object, description);
    });
[[maybe_unused]] const bool blocking_call_described = set_wait_describer(
    WaitKind::kBlockingCall, [](const void* object, WaitDescription& description) noexcept {
      describe_call("its call on a thread of blocking pool \"", object, description);
    });

/// What the thread that runs the task inherits. Linked and unlinked by the caller.
class LentScope {
 public:
  LentScope(BlockingTask& task, Waiter& caller) noexcept : task_(task) {
    task.bindings = caller.bindings;
    CancelNode* const scope = caller.scope.load(relaxed);
    if (scope == nullptr) return;
    task.has_scope = true;
    task.scope.link(scope, nullptr, CancelNode::kNoDeadline);
  }
  ~LentScope() {
    if (task_.has_scope) task_.scope.unlink();
  }
  LentScope(const LentScope&) = delete;
  LentScope& operator=(const LentScope&) = delete;

 private:
  BlockingTask& task_;
};

}  // namespace

BlockingPoolCore::BlockingPoolCore(BlockingOptions options)
    : name_(std::move(options.name)),
      threads_min_(options.threads_min),
      idle_timeout_ns_(detail::saturated_ns(options.idle_timeout)),
      threads_max_(checked_threads_max(options.threads_max)) {
  if (threads_min_ > threads_max_) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft: threads_min of a blocking pool is above threads_max");
  }
  add_pool(*this);
}

// Idle threads are woken to end; busy ones find that the pool ends.
BlockingPoolCore::~BlockingPoolCore() {
  WEFT_ASSERT(pool_of_this_thread() != this, "a blocking pool is destroyed by one of its own calls");
  remove_pool(*this);
  for (SpinBackoff backoff;;) {
    PoolThread* woken = nullptr;
    {
      std::scoped_lock locked(lock_);
      WEFT_ASSERT(queue_.empty(), "a blocking pool is destroyed while a call waits for a thread",
                  WEFT_VALUE(queue_size_));
      ending_ = true;
      if (threads_ == 0) return;  // BP4
      woken = pop_idle_locked();
    }
    woken != nullptr ? woken->parker.unpark() : backoff.pause();
  }
}

Result<void> BlockingPoolCore::run(BlockingTask& task, Deadline deadline, detail::BlockingStart start) {
  Waiter& self = Waiter::current();
  if (const Result<void> may = may_start(self, deadline); !may) return may;
  if (pool_of_this_thread() == this) {
    task.run(task.call);
    return {};
  }
  task.pool = this;
  const LentScope lent(task, self);
  if (in_simulated_world()) return run_while_time_stands_still(task, start);
  task.waiter = &self;
  task.ticket = self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kPoolThread, &task});
  if (!submit(task, start)) {
    // A cancel that was faster has a wake-up on its way (WW5).
    if (!self.word.try_win(task.ticket, WaitOutcome::kReady)) self.wait();
    return Errc::would_block;
  }
  const WaitOutcome outcome = self.wait();
  if (outcome == WaitOutcome::kReady) return {};
  if (outcome == WaitOutcome::kRetry) return detail::failure_about(no_thread_error(), kStarting, name_);
  take_back(task);
  return result_of_outcome(outcome);
}

// The fiber keeps its thread, which sleeps: nothing else happens in its world meanwhile.
Result<void> BlockingPoolCore::run_while_time_stands_still(BlockingTask& task, detail::BlockingStart start) {
  Parker sleeper;
  task.sleeper = &sleeper;
  if (!submit(task, start)) return Errc::would_block;
  sleeper.park();
  if (task.pool != nullptr) return {};
  return detail::failure_about(no_thread_error(), kStarting, name_);
}

PoolThread* BlockingPoolCore::pop_idle_locked() noexcept {
  PoolThread* const thread = idle_.pop_front();
  if (thread != nullptr) --idle_count_;
  return thread;
}

/// False: it was to be now or never, and no thread is free.
bool BlockingPoolCore::submit(BlockingTask& task, detail::BlockingStart start) noexcept {
  PoolThread* woken = nullptr;
  std::uint64_t number = 0;
  {
    std::scoped_lock locked(lock_);
    const bool free = !idle_.empty() || threads_ < threads_max_;
    if (!free && start == detail::BlockingStart::kNow) return false;
    queue_.push_back(task);
    ++queue_size_;
    woken = pop_idle_locked();
    if (woken == nullptr && threads_ < threads_max_) {
      ++threads_;
      number = ++started_threads_;
    }
  }
  if (woken != nullptr) {
    woken->parker.unpark();
  } else if (number != 0 && !start_thread(number - 1)) {
    fail_all();
  }
  return true;
}

// It may be off the queue already, by a thread that has found its wait over.
void BlockingPoolCore::take_back(BlockingTask& task) noexcept {
  std::scoped_lock locked(lock_);
  if (!task.linked()) return;
  queue_.remove(task);
  --queue_size_;
}

// A thread could not be started. Others may have counted on it (BP1); with none left nobody comes for them.
void BlockingPoolCore::fail_all() noexcept {
  std::unique_lock locked(lock_);
  --threads_;
  --started_threads_;
  while (threads_ == 0 && !queue_.empty()) {
    auto& task = static_cast<BlockingTask&>(*queue_.pop_front());
    --queue_size_;
    if (task.sleeper != nullptr) {
      task.pool = nullptr;
      Parker& sleeper = *task.sleeper;
      locked.unlock();
      sleeper.unpark();
      locked.lock();
    } else if (task.waiter->word.try_win(task.ticket, WaitOutcome::kRetry)) {
      locked.unlock();
      task.waiter->wake();
      locked.lock();
    }
  }
}

void BlockingPoolCore::resize(std::uint32_t threads_max) {
  const std::uint32_t checked = checked_threads_max(threads_max);
  for (std::size_t started = 0;; ++started) {
    PoolThread* woken = nullptr;
    std::uint64_t number = 0;
    {
      std::scoped_lock locked(lock_);
      threads_max_ = checked;
      if (threads_ > checked) {
        woken = pop_idle_locked();
      } else if (threads_ < checked && started < queue_size_) {
        ++threads_;
        number = ++started_threads_;
      }
    }
    if (woken != nullptr) {
      woken->parker.unpark();
    } else if (number == 0) {
      return;
    } else if (!start_thread(number - 1)) {
      return fail_all();
    }
  }
}

BlockingCounters BlockingPoolCore::counters() noexcept {
  std::scoped_lock locked(lock_);
  return {threads_, idle_count_, queue_size_, started_calls_, started_threads_};
}

}  // namespace weft
