// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/fiber.hpp"

#include <cstddef>

namespace weft {

/// First-in first-out chain of runnable fibers through `Fiber::queue_next`: a fiber is in at most one queue,
/// and nothing allocates. Not thread-safe.
class FiberQueue {
 public:
  FiberQueue() noexcept = default;
  FiberQueue(const FiberQueue&) = delete;
  FiberQueue& operator=(const FiberQueue&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }

  void push(Fiber& fiber) noexcept {
    fiber.queue_next = nullptr;
    (first_ == nullptr ? first_ : last_->queue_next) = &fiber;
    last_ = &fiber;
    ++size_;
  }

  /// The oldest; null when empty.
  Fiber* pop() noexcept {
    Fiber* const fiber = first_;
    if (fiber == nullptr) return nullptr;
    first_ = fiber->queue_next;
    --size_;
    return fiber;
  }

  /// Calls `visit(const Fiber&)` for each, the oldest first.
  template <class Visit>
  void for_each(Visit&& visit) const noexcept {
    std::size_t left = size_;
    for (const Fiber* fiber = first_; left != 0; --left, fiber = fiber->queue_next) visit(*fiber);
  }

  /// Moves all fibers of `other` behind those of this queue.
  void splice(FiberQueue& other) noexcept {
    if (other.empty()) return;
    (first_ == nullptr ? first_ : last_->queue_next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = other.last_ = nullptr;
    other.size_ = 0;
  }

 private:
  Fiber* first_ = nullptr;
  Fiber* last_ = nullptr;  // meaningless while first_ is null
  std::size_t size_ = 0;
};

}  // namespace weft
