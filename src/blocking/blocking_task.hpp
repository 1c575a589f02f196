// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/idle/parker.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/waiter.hpp"

#include <exception>

namespace weft {

class BlockingPoolCore;

/// A call, from its queueing to its end. In the frame of its caller, who waits until it has ended or is off
/// the queue. `waiter` and `ticket` are of that wait.
struct BlockingTask : WaitNode {
  BlockingPoolCore* pool = nullptr;
  void (*run)(void*) = nullptr;
  void* call = nullptr;
  /// Of a caller whose thread sleeps instead, because time stands still meanwhile; else null.
  Parker* sleeper = nullptr;

  // What the thread inherits.
  const detail::ScopedBindingNode* bindings = nullptr;
  /// Within the caller's scope. Linked by the caller, as what is around it may have to be looked at by it.
  CancelNode scope;
  bool has_scope = false;

  // Written by the pool's thread before it wakes the caller.
  std::exception_ptr exception;
};

}  // namespace weft
