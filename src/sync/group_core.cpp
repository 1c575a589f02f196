// SPDX-License-Identifier: Apache-2.0
#include <weft/detail/group_core.hpp>

#include "base/panic.hpp"
#include "execution_context/context.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"

#include <weft/execution_context.hpp>

#include <mutex>
#include <utility>

namespace weft::detail {
namespace {

/// A child of the group that `node` is of, or what a child has made, is calling. Parents outlive it.
bool is_within(const CancelNode* scope, const CancelNode& node) noexcept {
  while (scope != nullptr && scope != &node) scope = scope->parent();
  return scope != nullptr;
}

void release_fiber(Fiber& fiber) noexcept {
  Runner* const runner = this_runner();
  fiber.release(StackPool::process(), runner == nullptr ? nullptr : runner->stacks);
}

[[maybe_unused]] const bool group_core_described =
    set_wait_describer(WaitKind::kGroup, [](const void* object, WaitDescription& description) noexcept {
      description.add("the children of task group ");
      description.add_address(object);
    });

}  // namespace

Context& spawn_context_of(ExecutionContext& context) noexcept {
  return detail::Access::core(context).spawn_context();
}

GroupCore::GroupCore(bool keeps_results) noexcept
    : keeps_results_(keeps_results), exceptions_under_way_(std::uncaught_exceptions()) {
  Waiter& self = Waiter::current();
  bindings_ = self.bindings;
  node_.node().link(self.scope.load(relaxed), nullptr, CancelNode::kNoDeadline);
}

GroupCore::~GroupCore() { node_.node().unlink(); }

void GroupCore::start(Context& context, Fiber& fiber, GroupTask& task) noexcept {
  task.group = this;
  task.fiber = &fiber;
  CancelNode& node = task.node.node();
  fiber.scope.store(&node, relaxed);  // published with the fiber
  fiber.bindings = bindings_;
  {
    std::scoped_lock locked(node_.node().lock());
    node.link_locked(node_.node(), &fiber, CancelNode::kNoDeadline);
    ++running_;
    if (keeps_results_) append_locked(task);
  }
  const bool forgets = !keeps_results_;
  start_fiber(context, fiber);
  if (forgets) release_fiber(fiber);
}

void GroupCore::append_locked(GroupTask& task) noexcept {
  task.previous = std::exchange(last_, &task);
  (task.previous != nullptr ? task.previous->next : first_) = &task;
  ++size_;
}

void GroupCore::run(GroupTask& task, Result<void> (*body)(GroupTask&)) noexcept {
  try {
    task.outcome = body(task);
  } catch (...) {  // a child's exceptions end here, and go on in its group
    task.exception = std::current_exception();
    task.outcome = Errc::cancelled;
  }
  this_fiber_or_null()->scope.store(nullptr, relaxed);
  if (!task.outcome) task.group->report_failure(task);
  task.group->finish(task);
}

// Before the child counts itself out, so that the group is there, and what is dropped is dropped within it.
void GroupCore::report_failure(GroupTask& task) noexcept {
  node_.node().lock().lock();
  if (!std::exchange(failed_, true)) {
    failure_ = task.outcome;
    exception_ = task.exception;
    if (keeps_results_) failing_ = last_held_ = &task;
  }
  CancelSweep(WaitOutcome::kCancelled).run_and_unlock(node_.node());
  if (!keeps_results_) task.exception = nullptr;
}

// After the lock was given back only the owner is touched, who is suspended until it is woken: the group may
// be gone (G1).
void GroupCore::finish(GroupTask& task) noexcept {
  Waiter* owner = nullptr;
  task.node.node()
      .wait_until_swept();  // the child's own scopes are gone; a sweep may be on its way up from them
  {
    std::scoped_lock locked(node_.node().lock());
    task.node.node().unlink_locked();
    --running_;
    if (keeps_results_) complete_locked(task);
    if (waiting_ != nullptr && satisfied_locked(awaited_)) {
      WaitNode& waiting = *std::exchange(waiting_, nullptr);
      if (waiting.waiter->word.try_win(waiting.ticket, WaitOutcome::kReady)) owner = waiting.waiter;
    }
  }
  if (owner != nullptr) owner->wake();
}

// The first that fails comes before those whom its failure cancels: on another thread they may be through
// before it is, so they are held behind it.
void GroupCore::complete_locked(GroupTask& task) noexcept {
  if (failing_ != nullptr && failing_ != &task) {
    last_held_ = last_held_->next_completed = &task;
    return;
  }
  GroupTask* const last = std::exchange(failing_, nullptr) == nullptr ? &task : last_held_;
  GroupTask* const before = std::exchange(last_completed_, last);
  (before != nullptr ? before->next_completed : first_completed_) = &task;
}

bool GroupCore::satisfied_locked(Until until) const noexcept {
  return running_ == 0 || (until == Until::kCompleted && first_completed_ != nullptr);
}

// A group that has failed waits for what is on its way out anyhow.
Result<void> GroupCore::wait_until(Until until) noexcept {
  Waiter& self = Waiter::current();
  WaitNode node;
  node.waiter = &self;
  {
    std::scoped_lock locked(node_.node().lock());
    if (satisfied_locked(until)) return {};
    WEFT_ASSERT(until != Until::kIdle || !is_within(self.scope.load(relaxed), node_.node()),
                "a child of a task group waits for the end of all children");
    WEFT_ASSERT(waiting_ == nullptr, "two fibers wait for the same task group");
    using enum WaitWord::Cancellable;
    node.ticket = self.begin(failed_ ? kNo : kYes, Waiter::kNoDeadline, {WaitKind::kGroup, this});
    waiting_ = &node;
    awaited_ = until;
  }
  const WaitOutcome outcome = self.wait();
  if (outcome == WaitOutcome::kReady) return {};
  {
    std::scoped_lock locked(node_.node().lock());
    waiting_ = nullptr;
  }
  const std::error_code error = result_of_outcome(outcome).error();
  fail(error);
  return error;
}

void GroupCore::fail(std::error_code error) noexcept {
  node_.node().lock().lock();
  if (!std::exchange(failed_, true)) failure_ = error;
  CancelSweep(error == Errc::timed_out ? WaitOutcome::kTimedOut : WaitOutcome::kCancelled)
      .run_and_unlock(node_.node());
}

void GroupCore::cancel() noexcept { fail(Errc::cancelled); }

Result<void> GroupCore::wait() {
  while (!wait_until(Until::kIdle)) {}           // the second time it is not cancellable
  first_completed_ = last_completed_ = nullptr;  // the rest goes in the order of spawning
  if (exception_ != nullptr) std::rethrow_exception(std::exchange(exception_, nullptr));
  return failure_;
}

GroupTask* GroupCore::next_completed(Result<void>& waited) noexcept {
  waited = wait_until(Until::kCompleted);
  if (!waited) return nullptr;
  std::scoped_lock locked(node_.node().lock());
  GroupTask* const task = first_completed_;
  if (task == nullptr) return nullptr;
  first_completed_ = task->next_completed;
  if (first_completed_ == nullptr) last_completed_ = nullptr;
  return task;
}

std::exception_ptr GroupCore::take_exception(GroupTask& task) noexcept {
  std::scoped_lock locked(node_.node().lock());
  if (exception_ == task.exception) exception_ = nullptr;
  return std::exchange(task.exception, nullptr);
}

void GroupCore::release(GroupTask& task) noexcept {
  Fiber& fiber = *task.fiber;
  {
    std::scoped_lock locked(node_.node().lock());
    (task.next != nullptr ? task.next->previous : last_) = task.previous;
    (task.previous != nullptr ? task.previous->next : first_) = task.next;
    --size_;
  }
  task.exception = nullptr;
  release_fiber(fiber);
}

void GroupCore::close() noexcept {
  {
    std::scoped_lock locked(node_.node().lock());
    if (running_ == 0) return;  // nobody is left who could start another
  }
  cancel();
  [[maybe_unused]] const Result<void> waited = wait_until(Until::kIdle);
}

void GroupCore::require_no_exception() noexcept {
  if (exception_ == nullptr || std::uncaught_exceptions() > exceptions_under_way_) return;
  write_to_stderr(
      {"weft: an exception left a child of a task group, and neither wait() nor next() was called\n"});
  std::rethrow_exception(exception_);  // noexcept: ends the program
}

}  // namespace weft::detail
