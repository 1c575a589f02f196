// SPDX-License-Identifier: Apache-2.0
#include "sync/wait_queue.hpp"

#include "base/panic.hpp"

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

std::size_t WaitChain::win_all(WaitChain& won) noexcept {
  std::size_t count = 0;
  for (; QueueNode* const node = win_first(); ++count) won.push_back(*node);
  return count;
}

// A node's frame lives until its waiter is woken: it is taken off before.
void WaitChain::wake_all() noexcept {
  while (QueueNode* const node = pop_front()) node->waiter->wake();
}

WaitChain WaitQueue::lock() noexcept { return WaitChain(reinterpret_cast<QueueNode*>(lock_queue(word_))); }

void WaitQueue::unlock(WaitChain chain) noexcept {
  // Release: pairs with the acquire in lock_queue() and idle(). Nobody else writes the word while the bit is
  // set.
  word_.store(reinterpret_cast<std::uintptr_t>(chain.first()), release);
}

}  // namespace weft::detail
