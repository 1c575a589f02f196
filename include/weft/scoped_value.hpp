// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace weft {

class Waiter;

namespace detail {

/// A link of the chain of values that are bound for a fiber, or a plain thread; in the frame that binds. Not
/// changed while it is in the chain, so the children of groups share it.
class ScopedBindingNode {
 public:
  /// Puts itself before what is bound. `value` outlives it.
  ScopedBindingNode(const void* key, const void* value) noexcept;
  /// BUG unless it was bound last, by the same fiber.
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

/// A name under which a value is bound for the time of a block, per fiber: a request's id, a user, a logger.
///
///     weft::ScopedValue<std::string> request_id;              // usually global
///
///     weft::ScopedBinding bound(request_id, next_id());       // until the end of the block
///     log(*request_id.get());                                 // in whatever the block calls
///
/// Found by everything that is called in the block, and by the children of task groups that are made in it,
/// in other contexts too; not by fibers that spawn() starts, which may outlive it. What is bound is never
/// changed, only hidden by a binding further in. A look-up walks over what is bound at that moment; nothing
/// allocates or suspends. Outlives its bindings.
template <class T>
class ScopedValue {
 public:
  ScopedValue() noexcept = default;
  ScopedValue(const ScopedValue&) = delete;
  ScopedValue& operator=(const ScopedValue&) = delete;

  /// What is bound for the calling fiber or thread; null if nothing is. Valid until the binding ends.
  const T* get() const noexcept { return static_cast<const T*>(detail::ScopedBindingNode::find(this)); }
  const T& get_or(const T& other) const noexcept {
    const T* const value = get();
    return value != nullptr ? *value : other;
  }
};

/// Binds a value from its construction to its destruction, in the calling fiber or plain thread. Bindings end
/// in the reverse order of their making, in the fiber that made them, and after the groups made meanwhile
/// (the former is checked: BUG).
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
