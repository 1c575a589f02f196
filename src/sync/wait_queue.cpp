// SPDX-License-Identifier: Apache-2.0
#include "sync/wait_queue.hpp"

#include "base/panic.hpp"
#include "base/portion.hpp"

namespace weft::detail {

void WaitChain::push_back(QueueNode& node) noexcept {
  WEFT_DEBUG_ASSERT(!node.linked(), "a waiter is already in a chain");
  if (first_ == nullptr) {
    node.next = node.previous = first_ = &node;
    return;
  }
  QueueNode& last = *first_->previous;
  node.next = first_;
  node.previous = &last;
  last.next = first_->previous = &node;
}

void WaitChain::push_front(QueueNode& node) noexcept {
  push_back(node);  // a circle: the place before the first is the place after the last
  first_ = &node;
}

void WaitChain::remove(QueueNode& node) noexcept {
  if (first_ == &node) first_ = node.next == &node ? nullptr : node.next;
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = node.previous = nullptr;
}

void WaitChain::remove_if_linked(QueueNode& node) noexcept {
  if (node.linked()) remove(node);
}

QueueNode* WaitChain::pop_front() noexcept {
  QueueNode* const node = first_;
  if (node != nullptr) remove(*node);
  return node;
}

QueueNode* WaitChain::win_first() noexcept {
  while (QueueNode* const node = pop_front()) {
    if (node->win()) return node;
  }
  return nullptr;
}

bool WaitChain::drop_gone() noexcept {
  for (std::uint32_t count = 0; count < kPortion; ++count) {
    if (first_ == nullptr || first_->waiter->word.waits(first_->ticket)) return false;
    remove(*first_);
  }
  return first_ != nullptr;
}

// A node's frame lives until its waiter is woken: it is taken off before.
void WaitChain::wake_all() noexcept {
  while (QueueNode* const node = pop_front()) node->waiter->wake();
}

std::size_t WaitChain::win_portion(WaitChain& won, const QueueNode* end) noexcept {
  std::size_t won_here = 0;
  for (std::uint32_t count = 0; count < kPortion && first_ != nullptr && first_ != end; ++count) {
    QueueNode* const node = pop_front();
    if (!node->win()) continue;
    won.push_back(*node);
    ++won_here;
  }
  return won_here;
}

WaitChain WaitQueue::lock() noexcept {
  return WaitChain(reinterpret_cast<QueueNode*>(lock_queue(word_) & ~kWaking));
}

void WaitQueue::unlock(WaitChain chain) noexcept {
  // Release: pairs with the acquire in lock_queue() and idle(). Nobody else writes the word while the bit is
  // set.
  word_.store(reinterpret_cast<std::uintptr_t>(chain.first()) | (word_.load(relaxed) & kWaking), release);
}

// What is left after a portion is a circle of its own: it hangs on a node in this frame, which nobody takes
// off, so whoever gives up can leave the circle without knowing it (docs/design/sync.md, "in portions").
void WaitQueue::unlock_and_wake_all(WaitChain chain) noexcept {
  WaitChain won;
  chain.win_portion(won);
  if (chain.empty()) {
    unlock(chain);
    return won.wake_all();
  }
  QueueNode end;
  chain.push_back(end);
  word_.store(kWaking, release);
  won.wake_all();
  for (bool more = true; more;) {
    const std::uintptr_t before = lock_queue(word_) & ~kWaking;  // others who wait since
    WaitChain rest(end.next);
    rest.win_portion(won, &end);
    more = end.next != &end;
    word_.store(before | (more ? kWaking : 0), release);
    won.wake_all();
  }
}

void WaitQueue::wait_until_woken() const noexcept {
  for (SpinBackoff backoff; (word_.load(acquire) & kWaking) != 0;) backoff.pause();
}

}  // namespace weft::detail
