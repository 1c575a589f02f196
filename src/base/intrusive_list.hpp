// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/panic.hpp"

namespace weft {

/// The hook of an `IntrusiveList`. An element derives from `ListNode<Tag>` once for each list it can be
/// in at the same time.
template <class Tag = void>
class ListNode {
 public:
  ListNode() noexcept = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool linked() const noexcept { return next_ != nullptr; }

 private:
  template <class, class>
  friend class IntrusiveList;

  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

/// A circular doubly linked list of elements that it does not own: nothing allocates, removal is O(1).
/// Not thread-safe; the lock that guards a list guards the hooks of its elements.
template <class T, class Tag = void>
class IntrusiveList {
  using Node = ListNode<Tag>;

 public:
  IntrusiveList() noexcept { head_.next_ = head_.previous_ = &head_; }
  ~IntrusiveList() { WEFT_DEBUG_ASSERT(empty(), "list destroyed with elements in it"); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return head_.next_ == &head_; }
  T& front() noexcept { return static_cast<T&>(*head_.next_); }

  void push_back(T& element) noexcept { insert_before(head_, element); }
  void push_front(T& element) noexcept { insert_before(*head_.next_, element); }

  /// The first element, taken off; null when empty.
  T* pop_front() noexcept {
    if (empty()) return nullptr;
    T& element = front();
    remove(element);
    return &element;
  }

  /// REQUIRES: `element` is in this list.
  void remove(T& element) noexcept {
    Node& node = element;
    node.previous_->next_ = node.next_;  // NOLINT(clang-analyzer-core.NullDereference): it is in a list
    node.next_->previous_ = node.previous_;
    node.next_ = node.previous_ = nullptr;
  }

  /// Moves all elements of `other` to the end of this list.
  void splice_back(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    Node* const first = other.head_.next_;
    Node* const last = other.head_.previous_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }

  /// The first element with `test(element)`; null if there is none.
  template <class Test>
  T* find(Test&& test) {
    for (Node* node = head_.next_; node != &head_; node = node->next_) {
      T& element = static_cast<T&>(*node);
      if (test(element)) return &element;
    }
    return nullptr;
  }

  /// Calls `visit(element)` for each; `visit` may remove the element it is given.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Node* node = head_.next_; node != &head_;) {
      Node* const next = node->next_;
      visit(static_cast<T&>(*node));
      node = next;
    }
  }

 private:
  static void insert_before(Node& position, T& element) noexcept {
    Node& node = element;
    WEFT_DEBUG_ASSERT(!node.linked(), "element is already in a list");
    node.next_ = &position;
    node.previous_ = position.previous_;
    position.previous_->next_ = &node;
    position.previous_ = &node;
  }

  Node head_;
};

}  // namespace weft
