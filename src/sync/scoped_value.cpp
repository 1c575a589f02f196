// SPDX-License-Identifier: Apache-2.0
#include <weft/scoped_value.hpp>

#include "base/panic.hpp"
#include "fiber/waiter.hpp"

namespace weft::detail {

ScopedBindingNode::ScopedBindingNode(const void* key, const void* value) noexcept
    : key_(key), value_(value), waiter_(Waiter::current()), outer_(waiter_.bindings) {
  waiter_.bindings = this;
}

ScopedBindingNode::~ScopedBindingNode() {
  WEFT_ASSERT(&Waiter::current() == &waiter_ && waiter_.bindings == this,
              "scoped bindings end in the order reverse to that in which they were made");
  waiter_.bindings = outer_;
}

const void* ScopedBindingNode::find(const void* key) noexcept {
  for (const ScopedBindingNode* node = Waiter::current().bindings; node != nullptr; node = node->outer_) {
    if (node->key_ == key) return node->value_;
  }
  return nullptr;
}

}  // namespace weft::detail
