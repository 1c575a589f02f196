// SPDX-License-Identifier: Apache-2.0
// Spin locks, as steps of the execution that is going on.
#include "model/explorer/execution.hpp"
#include "model/explorer/hooks.hpp"

namespace weft::model::hooks {
namespace {

Operation announce(Action action, void* object, Where where) {
  Operation operation;
  operation.action = action;
  operation.order = action == Action::kUnlock ? std::memory_order_release : std::memory_order_acquire;
  operation.where = where;
  operation.location = Execution::current().location(object, 1, where);
  operation.footprint.add(operation.location, Facet::kValue, true);
  return operation;
}

/// See needs_no_history() in hooks.cpp.
bool nobody_else_knows(const void* object) noexcept {
  Execution& execution = Execution::current();
  return execution.alone() && execution.memory().find(object) == kNoLocation;
}

void take(Location& lock) noexcept {
  Execution& execution = Execution::current();
  lock.holder = execution.running();
  execution.knowledge().join(lock.released);
  ++execution.running_thread().locks_held;
}

}  // namespace

void lock(void* object, Where where) noexcept {
  if (nobody_else_knows(object)) return;
  Execution& execution = Execution::current();
  const Operation operation = announce(Action::kLock, object, where);
  if (execution.memory().at(operation.location).holder == execution.running())
    execution.fail(FailureKind::kDeadlock, execution.running_thread().name + " locks what it holds");
  take(execution.memory().at(execution.take_turn(operation).location));
}

bool try_lock(void* object, Where where) noexcept {
  if (nobody_else_knows(object)) return true;
  Execution& execution = Execution::current();
  Operation& done = execution.take_turn(announce(Action::kTryLock, object, where));
  Location& lock = execution.memory().at(done.location);
  done.succeeded = lock.holder < 0;
  if (done.succeeded) take(lock);
  return done.succeeded;
}

void unlock(void* object, Where where) noexcept {
  if (nobody_else_knows(object)) return;
  Execution& execution = Execution::current();
  const Operation& done = execution.take_turn(announce(Action::kUnlock, object, where));
  Location& lock = execution.memory().at(done.location);
  if (lock.holder != execution.running())
    execution.fail(FailureKind::kCheck, execution.running_thread().name + " unlocks what it does not hold");
  lock.holder = -1;
  lock.released = execution.knowledge().current;
  --execution.running_thread().locks_held;
}

}  // namespace weft::model::hooks
