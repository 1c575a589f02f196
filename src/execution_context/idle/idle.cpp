// SPDX-License-Identifier: Apache-2.0
#include "execution_context/idle/idle.hpp"

#include <mutex>
#include <utility>

namespace weft {

void IdleSet::announce(IdleThread& thread) noexcept {
  std::scoped_lock lock(lock_);
  list_.push_front(thread);
  parked_.fetch_add(1, seq_cst);  // announce, then look for work (S2): pairs with the submitter's fence
}

bool IdleSet::withdraw(IdleThread& thread) noexcept {
  std::scoped_lock lock(lock_);
  if (!thread.linked()) return false;
  list_.remove(thread);
  parked_.fetch_sub(1, seq_cst);
  return true;
}

bool IdleSet::wake_one() noexcept {
  if (!anybody_parked()) return false;
  IdleThread* thread = nullptr;
  {
    std::scoped_lock lock(lock_);
    thread = list_.pop_front();
    if (thread == nullptr) return false;
    parked_.fetch_sub(1, seq_cst);
    begin_search();  // on its behalf, before anybody else looks for a searcher
  }
  thread->parker.unpark();
  return true;
}

void IdleSet::wake_all() noexcept {
  IdleThread* woken = nullptr;
  {
    std::scoped_lock lock(lock_);
    while (IdleThread* thread = list_.pop_front()) {
      thread->next_woken = woken;
      woken = thread;
      parked_.fetch_sub(1, seq_cst);
      begin_search();
    }
  }
  while (woken != nullptr) {  // once unparked it may park again, and stand in another chain
    IdleThread* const thread = std::exchange(woken, woken->next_woken);
    thread->parker.unpark();
  }
}

bool IdleSet::begin_poll(IdleThread& thread) noexcept {
  if (!duty_->begin(thread)) return false;
  if (shared()) [[unlikely]]
    in_loop_.store(true, seq_cst);
  return true;
}

void IdleSet::end_poll(IdleThread& thread, bool keep) noexcept {
  if (shared()) [[unlikely]]
    in_loop_.store(false,
                   relaxed);  // before the next thread of this context can set it: its begin() is later
  duty_->end(thread, keep);
}

bool IdleSet::revoke_poll_duty(IdleThread& thread) noexcept { return duty_->revoke(thread); }

}  // namespace weft
