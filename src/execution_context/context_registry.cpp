// SPDX-License-Identifier: Apache-2.0
#include "execution_context/context_registry.hpp"

#include "execution_context/diagnostics/debugger_layout.hpp"

#include <cstddef>
#include <new>

namespace weft {
namespace {

/// Nothing in the library reads the table: this makes the linker take it out of the archive, wherever there
/// is a context.
[[gnu::used, gnu::retain]] const DebuggerLayout* const keep_debugger_layout = &weft_debugger_layout;

}  // namespace

ContextRegistry& ContextRegistry::instance() noexcept {
  // In static storage without a destructor: the monitor looks at it until the process is gone.
  alignas(ContextRegistry) static std::byte storage[sizeof(ContextRegistry)];
  static ContextRegistry* const registry = new (storage) ContextRegistry();
  return *registry;
}

void ContextRegistry::add(Context& context) noexcept {
  std::scoped_lock lock(lock_);
  changes_.fetch_add(1, seq_cst);
  contexts_.push_back(context);
}

void ContextRegistry::become_inherited() noexcept {
  std::scoped_lock lock(lock_);
  changes_.fetch_add(1, seq_cst);
  while (contexts_.pop_front() != nullptr) {}
}

void ContextRegistry::remove(Context& context) noexcept {
  std::scoped_lock lock(lock_);
  const ListNode<ContextRegistry>& hook = context;
  changes_.fetch_add(1, seq_cst);
  if (hook.linked()) contexts_.remove(context);
}

}  // namespace weft
