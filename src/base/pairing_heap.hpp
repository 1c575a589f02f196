// SPDX-License-Identifier: Apache-2.0
#pragma once

// An intrusive pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986): insert is O(1), taking the first or
// any other element is O(log n) amortized, nothing allocates.
//
// Shape: an element's `child` is the first of a list of sibling subtrees linked by `next`; `previous` is the
// left sibling or, of a first child, the parent.
//
// Thread safety: none; the lock that guards the heap guards the links of its elements.
// Assumptions: `Traits::before` is a strict weak order that does not change while an element is in the heap.

#include "base/panic.hpp"

#include <utility>

namespace weft {

/// The hook of a `PairingHeap`. Free for any other use while the element is in no heap.
template <class T>
struct PairingHeapLinks {
  T* child = nullptr;
  T* next = nullptr;
  T* previous = nullptr;
};

/// `Traits` has `static PairingHeapLinks<T>& links(T&)` and `static bool before(const T&, const T&)`.
template <class T, class Traits>
class PairingHeap {
 public:
  PairingHeap() noexcept = default;
  PairingHeap(const PairingHeap&) = delete;
  PairingHeap& operator=(const PairingHeap&) = delete;

  bool empty() const noexcept { return root_ == nullptr; }

  /// The element before all others; null when empty.
  T* first() const noexcept { return root_; }

  /// REQUIRES: `element` is in no heap.
  void insert(T& element) noexcept {
    links(element) = {};
    root_ = root_ == nullptr ? &element : merge(root_, &element);
  }

  /// REQUIRES: not empty.
  T& pop_first() noexcept {
    WEFT_DEBUG_ASSERT(!empty(), "popped an empty heap");
    T& first = *root_;
    root_ = merge_siblings(links(first).child);
    return first;
  }

  /// REQUIRES: `element` is in this heap.
  void remove(T& element) noexcept {
    if (&element == root_) {
      pop_first();
      return;
    }
    cut(element);
    T* const orphans = merge_siblings(links(element).child);
    if (orphans != nullptr) root_ = merge(root_, orphans);
  }

 private:
  static PairingHeapLinks<T>& links(T& element) noexcept { return Traits::links(element); }

  /// Takes the subtree of `element`, not the root, out of its siblings.
  static void cut(T& element) noexcept {
    PairingHeapLinks<T>& own = links(element);
    PairingHeapLinks<T>& previous = links(*own.previous);
    if (previous.child == &element) {
      previous.child = own.next;
    } else {
      previous.next = own.next;
    }
    if (own.next != nullptr) links(*own.next).previous = own.previous;
  }

  /// The heap of two heaps. Both roots are without siblings, before and after.
  static T* merge(T* first, T* second) noexcept {
    if (Traits::before(*second, *first)) std::swap(first, second);
    PairingHeapLinks<T>& parent = links(*first);
    PairingHeapLinks<T>& child = links(*second);
    child.next = parent.child;
    child.previous = first;
    if (parent.child != nullptr) links(*parent.child).previous = second;
    parent.child = second;
    return first;
  }

  /// The heap of a list of siblings; null of none. Two passes, as the amortized bound needs: pairs from left
  /// to right, then the pairs from right to left.
  static T* merge_siblings(T* sibling) noexcept {
    T* pairs = nullptr;
    while (sibling != nullptr) {
      T* const left = sibling;
      T* const right = detach(left);
      sibling = right == nullptr ? nullptr : detach(right);
      T* const pair = right == nullptr ? left : merge(left, right);
      links(*pair).next = pairs;
      pairs = pair;
    }
    return fold(pairs);
  }

  /// Makes `root` a heap of its own; returns what stood to its right.
  static T* detach(T* root) noexcept {
    links(*root).previous = nullptr;
    return std::exchange(links(*root).next, nullptr);
  }

  static T* fold(T* heaps) noexcept {
    if (heaps == nullptr) return nullptr;
    T* next = detach(heaps);
    while (next != nullptr) {
      T* const heap = next;
      next = detach(heap);
      heaps = merge(heaps, heap);
    }
    return heaps;
  }

  T* root_ = nullptr;
};

}  // namespace weft
