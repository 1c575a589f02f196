// SPDX-License-Identifier: Apache-2.0
// The threads' half of a blocking pool: they take calls, rest, and end.
#include "base/clock.hpp"
#include "base/fork_count.hpp"
#include "base/panic.hpp"
#include "base/saturating.hpp"
#include "blocking/pool_core.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/library_thread.hpp"
#include "sys/fault.hpp"
#include "sys/signal.hpp"

#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>

namespace weft {
namespace {

thread_local constinit BlockingPoolCore* this_pool = nullptr;

/// The program's handlers run on its own threads. What a call does wrong is its own: a program that reports
/// crashes is told of those, too.
sigset_t signals_of_others() noexcept {
  sigset_t set = sys::all_signals();
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) ::sigdelset(&set, own);
  return set;
}

/// What the calling thread has of the task's caller while it runs the call.
class Inherited {
 public:
  explicit Inherited(BlockingTask& task) noexcept {
    if (task.bindings == nullptr && !task.has_scope) return;
    waiter_ = &Waiter::current();
    waiter_->bindings = task.bindings;
    if (!task.has_scope) return;
    has_scope_ = true;
    scope_.link(&task.scope, waiter_, CancelNode::kNoDeadline);
    waiter_->scope.store(&scope_, relaxed);
  }
  ~Inherited() {
    if (waiter_ == nullptr) return;
    waiter_->bindings = nullptr;
    if (!has_scope_) return;
    waiter_->scope.store(nullptr, relaxed);
    scope_.unlink();
  }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;

 private:
  Waiter* waiter_ = nullptr;
  bool has_scope_ = false;
  CancelNode scope_;
};

}  // namespace

BlockingPoolCore* pool_of_this_thread() noexcept { return this_pool; }

bool BlockingPoolCore::start_thread(std::uint64_t number) noexcept {
  if (sys::intercept(sys::Call::thread).error != 0) return false;
  const sys::BlockedSignals blocked(signals_of_others());
  try {
    std::thread([this, number] { thread_main(number); }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void BlockingPoolCore::thread_main(std::uint64_t number) noexcept {
  const std::string suffix = '-' + std::to_string(number);
  const LibraryThread thread(name_.substr(0, 15 - suffix.size()) + suffix);
  this_pool = this;
  PoolThread self;
  Claimed done;
  for (bool rested = false;;) {
    Claimed next;
    bool idle = false;
    bool ends = false;
    {
      std::scoped_lock locked(lock_);
      ends = count_out_locked(rested);
      idle = !ends && queue_.empty();
      if (idle) {
        idle_.push_front(self);
        ++idle_count_;
      } else if (!ends) {
        next = take_next_locked();
      }
    }
    // After the section: a caller that calls again at once finds this thread idle, and starts no other.
    if (done.task != nullptr) wake_caller(done);
    if (ends) return;  // and the pool may be gone (BP4)
    if (next.task != nullptr) run_task(*next.task);
    done = next;
    rested = idle && rest(self, rested);
  }
}

// Above the maximum it leaves also if calls wait: those that stay have been busy or woken since (BP1).
bool BlockingPoolCore::count_out_locked(bool rested) noexcept {
  const bool unneeded = queue_.empty() && (ending_ || (rested && threads_ > threads_min_));
  if (!unneeded && threads_ <= threads_max_) return false;
  --threads_;
  return true;
}

// By the claim the wait is the thread's: whoever would end it otherwise comes too late (BP2).
BlockingPoolCore::Claimed BlockingPoolCore::take_next_locked() noexcept {
  auto& task = static_cast<BlockingTask&>(*queue_.pop_front());
  --queue_size_;
  Claimed claimed{&task, {}};
  if (task.sleeper == nullptr) {
    if (!task.waiter->word.try_win(task.ticket, WaitOutcome::kReady)) return {};
    claimed.ticket = task.waiter->take_over({WaitKind::kBlockingCall, &task});
  }
  ++started_calls_;
  return claimed;
}

/// True if nobody has wanted the thread for the idle time. One that stayed after that stays.
bool BlockingPoolCore::rest(PoolThread& self, bool rested) noexcept {
  const Deadline until =
      rested ? Deadline::never() : Deadline::at_ns(saturating_add(monotonic_ns(), idle_timeout_ns_));
  if (self.parker.park_until(until)) return false;
  {
    std::scoped_lock locked(lock_);
    if (self.linked()) {
      idle_.remove(self);
      --idle_count_;
      return true;
    }
  }
  self.parker.park();  // its token is on its way (BP3)
  return false;
}

void BlockingPoolCore::run_task(BlockingTask& task) noexcept {
  const std::uint32_t forks = fork_count;
  {
    const Inherited inherited(task);
    try {
      task.run(task.call);
    } catch (...) {  // goes on in the caller
      task.exception = std::current_exception();
    }
  }
  if (fork_count != forks) refuse_in_child("a blocking call returns");
}

// The frame that the task stands in ends with it.
void BlockingPoolCore::wake_caller(const Claimed& done) noexcept {
  if (done.task->sleeper != nullptr) return done.task->sleeper->unpark();
  Waiter& caller = *done.task->waiter;
  WEFT_ASSERT(caller.word.try_win(done.ticket, WaitOutcome::kReady),
              "somebody else ended a wait that was taken over");
  caller.wake();
}

}  // namespace weft
