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

/// Fibers that belong together, and that end before the block does in which their group stands.
///
///     weft::TaskGroup<Page> group;
///     group.spawn([&] { return fetch(a); });              // each returns Page or Result<Page>
///     group.spawn([&] { return fetch(b); });
///     weft::Result<std::vector<Page>> pages = group.wait();
///
/// The first child that fails, by an error or an exception, cancels the others (their cancellable waits end
/// with Errc::cancelled), and wait() reports it. The group is a cancel scope within the one in which it was
/// made: what ends that ends the children, in whatever context they run.
///
/// spawn(), cancel(): any fiber or thread while the group lives, its children too. wait(), next() and the
/// end: one fiber (or plain thread) at a time; a child that waits for the end of all children is a BUG.
/// Destruction: cancels the children and joins them, also when the block is left by an exception; suspends. A
/// child's exception that wait() or next() did not throw then ends the program, unless another one is under
/// way. Neither copied nor moved.
///
/// A child costs no allocation but its fiber. With results (T is not void) a child that has ended keeps its
/// stack until its result is taken.
template <class T>
class TaskGroup {
 public:
  /// What wait() gives: nothing, or a vector.
  using Results = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;

  TaskGroup() noexcept : core_(!std::is_void_v<T>) {}
  ~TaskGroup() {
    core_.close();
    drop_results();
    core_.require_no_exception();
  }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts a child in the current context (an isolated context's spawn context), or in the given one.
  /// `closure` returns T or Result<T>; void, Result<void> or an error code if T is void. Does not suspend. In
  /// a group that has failed or was cancelled the child starts, and its cancellable calls fail. Throws
  /// std::bad_alloc if there is no memory for a stack.
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

  /// Waits until no child runs: the results in the order of spawning, of those that next() has not taken. Or
  /// the first failure, and no results. Throws the first exception that escaped from a child. Suspends.
  ///
  /// Cancellable, also by a scope that is not around the group: then the children are cancelled and joined
  /// first, and their results dropped. Afterwards the group is empty; one that has not failed may be used
  /// again.
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

  /// The next result in the order of completion, or that child's error; nothing when no child is left. Throws
  /// what escaped from the child. Suspends.
  ///
  ///     while (auto page = group.next()) show(*page);
  ///
  /// Cancellable: the children are cancelled then, and the error is given once; what follows are their own
  /// outcomes. Nothing is lost.
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

  /// Cancels the children; wait() reports Errc::cancelled unless one has failed before. Does not wait.
  void cancel() noexcept { core_.cancel(); }

  /// Cancels the children, joins them, and drops what they gave, exceptions too. Not cancellable. Suspends.
  /// The group stays cancelled.
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
