// SPDX-License-Identifier: Apache-2.0
#include "execution_context/idle.hpp"

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

namespace {

std::uintptr_t kept_by(const IdleThread& thread) noexcept {
  return reinterpret_cast<std::uintptr_t>(&thread);
}

}  // namespace

// A read-modify-write also for a duty that was kept: the monitor may be revoking it.
bool IdleSet::begin_poll(IdleThread& thread) noexcept {
  std::uintptr_t holder = poller_.load(relaxed);
  if (holder != kNobody && holder != kept_by(thread)) return false;
  return poller_.compare_exchange_strong(holder, kept_by(thread) + kInLoop, seq_cst);
}

bool IdleSet::may_poll(const IdleThread& thread) const noexcept {
  const std::uintptr_t holder = poller_.load(relaxed);  // stale is fine: asked again soon
  return holder == kNobody || holder == kept_by(thread);
}

void IdleSet::end_poll(IdleThread& thread, bool keep) noexcept {
  poller_.store(keep ? kept_by(thread) : kNobody, seq_cst);
}

bool IdleSet::revoke_poll_duty(IdleThread& thread) noexcept {
  std::uintptr_t holder = kept_by(thread);
  return poller_.compare_exchange_strong(holder, kNobody, seq_cst);
}

}  // namespace weft
