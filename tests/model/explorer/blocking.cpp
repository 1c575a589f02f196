// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/blocking.hpp"

#include "model/explorer/execution.hpp"

#include <algorithm>

namespace weft::model {
namespace {

Operation announce(Action action, LocationIndex location, Where where) {
  Operation operation;
  operation.action = action;
  operation.where = where;
  operation.location = location;
  operation.footprint.add(location, Facet::kWaiters, true);
  return operation;
}

}  // namespace

// The kernel compares under a lock that wakers take too, so the newest value counts. Sleeping and waking
// order nothing by themselves.
bool futex_wait(void* address, std::uint32_t expected, bool has_deadline, Where where) {
  Execution& execution = Execution::current();
  const LocationIndex location = execution.location(address, sizeof(std::uint32_t), where);
  Operation wait = announce(Action::kFutexWait, location, where);
  wait.footprint.add(location, Facet::kValue, false);
  Operation& waits = execution.take_turn(wait);
  waits.read = execution.memory().at(location).stores.back().value;
  waits.succeeded = waits.read == expected;
  if (!waits.succeeded || execution.choose_spurious()) return true;
  Execution::Thread& thread = execution.running_thread();
  thread.woken = false;
  thread.has_deadline = has_deadline;
  execution.memory().at(location).waiters.push_back(execution.running());

  Operation resume = announce(Action::kFutexResume, location, where);
  resume.conditional = !has_deadline;
  Operation& resumed = execution.take_turn(resume);
  resumed.succeeded = thread.woken;
  std::vector<ThreadIndex>& waiters = execution.memory().at(location).waiters;
  waiters.erase(std::remove(waiters.begin(), waiters.end(), execution.running()), waiters.end());
  return thread.woken;
}

int futex_wake(void* address, int count, Where where) {
  Execution& execution = Execution::current();
  const LocationIndex known = execution.memory().find(address);
  if (known == kNoLocation) return 0;
  Operation& wakes = execution.take_turn(announce(Action::kFutexWake, known, where));
  std::vector<ThreadIndex>& waiters = execution.memory().at(known).waiters;
  int woken = 0;
  for (; woken < count && !waiters.empty(); ++woken) {
    execution.thread(waiters.front()).woken = true;
    waiters.erase(waiters.begin());
  }
  wakes.written = static_cast<std::uint64_t>(woken);
  return woken;
}

// The tokens of a thread stand for its fiber's place in a queue. Whoever takes it from there sees what the
// enqueuer did: queues are release and acquire, which their own models show.
void suspend(Where where) {
  Execution& execution = Execution::current();
  Execution::Thread& thread = execution.running_thread();
  if (thread.locks_held != 0)
    execution.fail(FailureKind::kCheck, thread.name + " suspends under a spin lock");
  Operation suspend = announce(Action::kSuspend, execution.location(&thread.tokens, 1, where), where);
  suspend.conditional = true;
  execution.take_turn(suspend);
  --thread.tokens;
  execution.knowledge().join(thread.enqueued);
}

void enqueue(unsigned index, Where where) {
  Execution& execution = Execution::current();
  Execution::Thread& thread = execution.thread(index);
  execution.take_turn(announce(Action::kEnqueue, execution.location(&thread.tokens, 1, where), where));
  if (!thread.alive) execution.fail(FailureKind::kCheck, thread.name + " is enqueued after its end");
  if (thread.tokens != 0) execution.fail(FailureKind::kCheck, thread.name + " is enqueued twice");
  ++thread.tokens;
  thread.enqueued.join(execution.knowledge().current);
}

}  // namespace weft::model
