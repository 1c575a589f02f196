// SPDX-License-Identifier: Apache-2.0
#include "fiber/thread_waiter.hpp"

#include "base/fork_count.hpp"
#include "base/panic.hpp"
#include "sys/futex.hpp"
#include "sys/thread.hpp"

#include <cstddef>
#include <new>

namespace weft {
namespace {

/// Null until the thread waits for the first time, and while it ends.
thread_local constinit ThreadWaiter* of_this_thread = nullptr;

}  // namespace

ThreadWaiter::All& ThreadWaiter::all() noexcept {
  // In static storage without a destructor: threads may end after statics.
  alignas(All) static std::byte storage[sizeof(All)];
  static All* const all = new (storage) All();
  return *all;
}

ThreadWaiter::ThreadWaiter() noexcept : Waiter(Kind::kThread), thread_id_(sys::thread_id()) {
  of_this_thread = this;
  const std::scoped_lock lock(all().lock);
  all().list.push_back(*this);
}

ThreadWaiter::~ThreadWaiter() {
  of_this_thread = nullptr;
  const std::scoped_lock lock(all().lock);
  all().list.remove(*this);
}

void ThreadWaiter::forget_other_threads() noexcept {
  new (&all()) All();
  if (of_this_thread == nullptr) return;
  // cppcheck-suppress constStatement; it is a placement new
  new (static_cast<ListNode<ThreadWaiter>*>(of_this_thread)) ListNode<ThreadWaiter>();
  of_this_thread->thread_id_ = sys::thread_id();
  all().list.push_back(*of_this_thread);
}

// A child of fork() has one thread, until it starts others: what it waits for was its parent's to do.
[[gnu::cold, gnu::noinline]] void ThreadWaiter::refuse_to_wait_alone() const noexcept {
  if (deadline_ns.load(relaxed) != kNoDeadline) return;
  const auto threads = sys::process_threads();
  if (!threads || threads->size() != 1) return;
  write_to_stderr(
      {"weft: a child of fork() waits for what only a fiber or thread of its parent could do; it may exec, "
       "_exit(), or call weft::run() anew\n"});
  WEFT_PANIC("the only thread of a child of fork() waits for ever");
}

void ThreadWaiter::park() noexcept {
  const Deadline deadline = Deadline::at_ns(deadline_ns.load(relaxed));
  if (fork_count != 0) [[unlikely]]
    refuse_to_wait_alone();
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
  // Without a deadline by now: the wait was taken over.
  if (word.current(ticket) && deadline_ns.load(relaxed) != kNoDeadline &&
      word.try_win(ticket, WaitOutcome::kTimedOut))
    return;
  // Somebody else won first and is about to wake this thread: the token is theirs to put.
  while (token_.exchange(0, acquire) == 0) sys::futex_wait(token_, 0);
}

}  // namespace weft
