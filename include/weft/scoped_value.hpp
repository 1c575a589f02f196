// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace weft {

namespace detail {

class Waiter;

/// A link of the chain of values that are bound for a fiber or a plain thread. It stands in the frame that
/// binds. It does not change while it is in the chain, so the children of groups share it.
class ScopedBindingNode {
 public:
  /// Links itself before the current chain. REQUIRES: `value` outlives it.
  ScopedBindingNode(const void* key, const void* value) noexcept;
  /// BUG unless it is the last binding, made by the same fiber.
  ~ScopedBindingNode();
  ScopedBindingNode(const ScopedBindingNode&) = delete;
  ScopedBindingNode& operator=(const ScopedBindingNode&) = delete;

  /// The innermost value for `key` in the calling fiber; null if there is none.
  static const void* find(const void* key) noexcept;

 private:
  const void* const key_;
  const void* const value_;
  Waiter& waiter_;
  const ScopedBindingNode* const outer_;
};

}  // namespace detail

/// A key under which a fiber binds a value for a block: a request's id, a user, a logger.
///
///     weft::ScopedValue<std::string> request_id;              // usually global
///
///     weft::ScopedBinding bound(request_id, next_id());       // until the end of the block
///     log(*request_id.get());                                 // in any function that the block calls
///
/// The binding holds for all calls in the block, and for the children of task groups that are made in it,
/// also in other contexts. It does not hold for fibers that spawn() starts, because they may outlive it. A
/// bound value never changes; an inner binding hides it. A look-up takes time with the number of current
/// bindings. Nothing allocates or suspends. The key must outlive its bindings.
template <class T>
class ScopedValue {
 public:
  ScopedValue() noexcept = default;
  ScopedValue(const ScopedValue&) = delete;
  ScopedValue& operator=(const ScopedValue&) = delete;

  /// The value that is bound for the calling fiber or thread; null if there is none. Valid until the binding
  /// ends.
  const T* get() const noexcept { return static_cast<const T*>(detail::ScopedBindingNode::find(this)); }
  const T& get_or(const T& other) const noexcept {
    const T* const value = get();
    return value != nullptr ? *value : other;
  }
};

/// Binds a value from its construction to its destruction, in the calling fiber or plain thread. Bindings
/// must end in the reverse order of their making, in the fiber that made them (otherwise BUG), and after the
/// groups that were made meanwhile.
template <class T>
class ScopedBinding {
 public:
  template <class U>
  ScopedBinding(const ScopedValue<T>& key, U&& value)
      : value_(std::forward<U>(value)), node_(&key, &value_) {}
  ScopedBinding(const ScopedBinding&) = delete;
  ScopedBinding& operator=(const ScopedBinding&) = delete;

 private:
  const T value_;
  const detail::ScopedBindingNode node_;
};

template <class T, class U>
ScopedBinding(const ScopedValue<T>&, U&&) -> ScopedBinding<T>;

}  // namespace weft
