// SPDX-License-Identifier: Apache-2.0
#include <weft/condition_variable.hpp>

#include "base/panic.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/wait_queue.hpp"

namespace weft {
namespace {

[[maybe_unused]] const bool condition_variable_described =
    set_wait_describer(WaitKind::kCondition, [](const void* object, WaitDescription& description) noexcept {
      description.add("condition variable ");
      description.add_address(object);
    });

// The waiter stands in the queue before the mutex is free: whoever changes the state under the mutex finds it
// there. Unlocking never suspends, so it may stand between begin() and wait().
WaitOutcome wait_notified(detail::WaitQueue& queue, std::unique_lock<Mutex>& lock,
                          WaitWord::Cancellable cancellable, Deadline deadline) noexcept {
  WEFT_ASSERT(lock.owns_lock(), "a condition variable is waited for without its mutex", WEFT_VALUE(&queue));
  QueueNode own;
  const WaitOutcome outcome = wait_in_queue(
      own, {WaitKind::kCondition, &queue}, cancellable, deadline,
      [&](QueueNode& node) {
        WaitChain chain = queue.lock();
        chain.push_back(node);
        queue.unlock(chain);
        lock.unlock();
        return true;
      },
      [&](QueueNode& node) {
        WaitChain chain = queue.lock();
        chain.remove_if_linked(node);
        queue.unlock(chain);
      });
  lock.lock();
  return outcome;
}

}  // namespace

// A waiter whose queueing this look misses had not unlocked the mutex yet when the caller last held it.
void ConditionVariable::notify_one() noexcept {
  if (queue_.idle()) return;
  WaitChain chain = queue_.lock();
  while (chain.drop_gone()) {
    queue_.unlock(chain);
    chain = queue_.lock();
  }
  QueueNode* const won = chain.win_first();
  queue_.unlock(chain);
  if (won != nullptr) won->waiter->wake();
}

void ConditionVariable::notify_all() noexcept {
  if (queue_.idle()) return;
  for (;;) {
    const WaitChain chain = queue_.lock();
    if (!queue_.waking()) return queue_.unlock_and_wake_all(chain);
    queue_.unlock(chain);
    queue_.wait_until_woken();
  }
}

void ConditionVariable::wait_uncancellable(std::unique_lock<Mutex>& lock) noexcept {
  wait_notified(queue_, lock, WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> ConditionVariable::wait_until(std::unique_lock<Mutex>& lock, Deadline deadline) noexcept {
  return result_of_outcome(wait_notified(queue_, lock, WaitWord::Cancellable::kYes, deadline));
}

}  // namespace weft
