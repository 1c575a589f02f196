// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/group_core.hpp>
#include <weft/execution_context.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>
#include <weft/spawn_options.hpp>
#include <weft/this_fiber.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

/// A group of fibers, its children, that end before the group's block ends.
///
///     weft::TaskGroup<Page> group;
///     group.spawn([&] { return fetch(a); });              // each returns Page or Result<Page>
///     group.spawn([&] { return fetch(b); });
///     weft::Result<std::vector<Page>> pages = group.wait();
///
/// Failure: the first child that fails, with an error or an exception, cancels the others. Their cancellable
/// waits fail with Errc::cancelled, and wait() returns the failure. The group is a cancel scope inside the
/// scope in which it was made: the end of that scope cancels the children, in any context.
///
/// Thread safety: any fiber or thread, children included, may call spawn() and cancel() while the group
/// lives. One fiber or plain thread at a time may call wait() or next(), or destroy the group. BUG if a child
/// waits for all children.
///
/// Destruction: cancels the children and joins them, also when an exception leaves the block. Suspends. If a
/// child has thrown an exception that wait() or next() has not rethrown, the program then ends, unless
/// another exception is being handled.
///
/// A child needs no allocation beside its fiber. If T is not void, a child that has ended keeps its stack
/// until its result is taken.
template <class T>
class TaskGroup {
 public:
  /// The value of wait(): nothing, or a vector.
  using Results = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;

  TaskGroup() noexcept : core_(!std::is_void_v<T>) {}
  ~TaskGroup() {
    core_.close();
    drop_results();
    core_.require_no_exception();
  }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts a child in the current context (in an isolated context, its spawn context), or in `context`.
  /// `closure` returns T or Result<T>; if T is void, it returns void, Result<void> or an error code. Does not
  /// suspend. If the group has failed or was cancelled, the child starts anyway, and its cancellable calls
  /// fail. Throws std::bad_alloc if there is no memory for a stack.
  template <class F>
  void spawn(F&& closure, const SpawnOptions& options = {},
             SourceLocation spawned_at = SourceLocation::current()) {
    detail::start_child<T>(core_, detail::current_spawn_context(), std::forward<F>(closure), options,
                           spawned_at);
  }
  template <class F>
  void spawn(ExecutionContext& context, F&& closure, const SpawnOptions& options = {},
             SourceLocation spawned_at = SourceLocation::current()) {
    detail::start_child<T>(core_, detail::spawn_context_of(context), std::forward<F>(closure), options,
                           spawned_at);
  }

  /// Waits until all children have ended. Returns their results in the order of spawning, without those that
  /// next() has taken; or the first failure, and no results. Throws the first exception that escaped from a
  /// child. Suspends.
  ///
  /// Cancellable, also by a scope that does not enclose the group: then the children are cancelled and joined
  /// first, and their results are dropped. The group is empty afterwards. If it has not failed, it may be
  /// used again.
  Result<Results> wait() {
    if (Result<void> waited = core_.wait(); !waited) {
      drop_results();
      return waited.error();
    }
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      Results results;
      results.reserve(core_.size());
      while (detail::GroupTask* const task = core_.first()) results.push_back(take(*task));
      return results;
    }
  }

  /// Returns the next result in the order of completion, or the error of that child; `nullopt` if no child is
  /// left. Throws the exception that escaped from the child. Suspends.
  ///
  ///     while (auto page = group.next()) show(*page);
  ///
  /// Cancellable: the children are then cancelled, and the error is returned once. Further calls return the
  /// children's own results. Nothing is lost.
  std::optional<Result<T>> next() requires(!std::is_void_v<T>) {
    Result<void> waited;
    detail::GroupTask* const task = core_.next_completed(waited);
    if (!waited) return Result<T>(waited.error());
    if (task == nullptr) return std::nullopt;
    if (task->outcome) return Result<T>(take(*task));
    const std::error_code error = task->outcome.error();
    const std::exception_ptr exception = core_.take_exception(*task);
    core_.release(*task);
    if (exception != nullptr) std::rethrow_exception(exception);
    return Result<T>(error);
  }

  /// Cancels the children. wait() then returns Errc::cancelled, unless a child has failed before. Does not
  /// wait.
  void cancel() noexcept { core_.cancel(); }

  /// Cancels the children, joins them, and drops their results and exceptions. Not cancellable. Suspends. The
  /// group stays cancelled.
  void discard() noexcept {
    core_.close();
    drop_results();
    core_.drop_exception();
  }

 private:
  T take(detail::GroupTask& task) requires(!std::is_void_v<T>) {
    struct ReleaseAtExit {
      detail::GroupCore& core;
      detail::GroupTaskOf<T>& child;
      ~ReleaseAtExit() {
        std::destroy_at(&child.value());
        core.release(child);
      }
    } taken{core_, static_cast<detail::GroupTaskOf<T>&>(task)};
    return std::move(taken.child.value());
  }

  void drop_results() noexcept {
    if constexpr (!std::is_void_v<T>) {
      while (detail::GroupTask* const task = core_.first()) {
        if (task->outcome) std::destroy_at(&static_cast<detail::GroupTaskOf<T>*>(task)->value());
        core_.release(*task);
      }
    }
  }

  detail::GroupCore core_;
};

}  // namespace weft
