// SPDX-License-Identifier: Apache-2.0
#include "fiber/thread_waiter.hpp"

#include "sys/futex.hpp"
#include "sys/thread.hpp"

#include <cstddef>
#include <new>

namespace weft {

ThreadWaiter::All& ThreadWaiter::all() noexcept {
  // In static storage, so that there is memory for it, and never destroyed: threads may end after statics.
  alignas(All) static std::byte storage[sizeof(All)];
  static All* const all = new (storage) All();
  return *all;
}

ThreadWaiter::ThreadWaiter() noexcept : Waiter(Kind::kThread), thread_id_(sys::thread_id()) {
  const std::scoped_lock lock(all().lock);
  all().list.push_back(*this);
}

ThreadWaiter::~ThreadWaiter() {
  const std::scoped_lock lock(all().lock);
  all().list.remove(*this);
}

void ThreadWaiter::park() noexcept {
  const Deadline deadline = Deadline::at_ns(deadline_ns.load(relaxed));
  parked_.store(true, release);
  // Acquire: pairs with the release in unpark().
  while (token_.exchange(0, acquire) == 0) {
    if (!sys::futex_wait(token_, 0, deadline)) {
      timed_out();
      break;
    }
  }
  parked_.store(false, relaxed);  // seen by who sees the next wait: begin() is a read-modify-write
}

void ThreadWaiter::unpark() noexcept {
  token_.store(1, release);
  sys::futex_wake(token_, 1);
}

void ThreadWaiter::timed_out() noexcept {
  WaitTicket ticket;
  if (word.current(ticket) && word.try_win(ticket, WaitOutcome::kTimedOut)) return;
  // Somebody else won first and is about to wake this thread: the token is theirs to put.
  while (token_.exchange(0, acquire) == 0) sys::futex_wait(token_, 0);
}

}  // namespace weft
