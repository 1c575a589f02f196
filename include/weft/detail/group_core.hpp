// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped half of a task group, and the task of a child, which stands in its fiber's own storage:
// starting a child allocates nothing beside its fiber. Internal: this header may change at any time.
//
// Thread safety: any thread may call start() and cancel() while the group lives; the child calls finish();
// one owner at a time calls the rest. The lock of the group's cancel node guards all fields. Guarantees:
// docs/design/group.md.

#include <weft/detail/cancel_node_storage.hpp>
#include <weft/detail/fiber_start.hpp>
#include <weft/detail/outcome.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

class ExecutionContext;
struct WaitNode;

namespace detail {

/// The context in which spawn() of `context` starts fibers.
Context& spawn_context_of(ExecutionContext& context) noexcept;

class GroupCore;
class ScopedBindingNode;

/// A child. It stands in its fiber's storage.
struct GroupTask {
  CancelNodeStorage node;  ///< the child's outermost scope, below the group's
  GroupCore* group = nullptr;
  Fiber* fiber = nullptr;  ///< a reference, if the group keeps results
  GroupTask* next = nullptr;
  GroupTask* previous = nullptr;        ///< in the order of spawning
  GroupTask* next_completed = nullptr;  ///< in the order of completion
  Result<void> outcome;                 ///< Errc::cancelled if an exception escaped
  std::exception_ptr exception;
};

class GroupCore {
 public:
  explicit GroupCore(bool keeps_results) noexcept;
  GroupCore(const GroupCore&) = delete;
  GroupCore& operator=(const GroupCore&) = delete;
  /// The typed half calls close() and destroys the results before.
  ~GroupCore();

  /// Starts a child whose task stands in the fiber's storage. Does not suspend.
  void start(Context& context, Fiber& fiber, GroupTask& task) noexcept;
  /// Runs a child's closure and reports its outcome to the group. The child calls it as the last thing in its
  /// fiber.
  static void run(GroupTask& task, Result<void> (*body)(GroupTask&)) noexcept;

  void cancel() noexcept;
  /// Waits until no child runs. Returns the first failure; throws the first exception. Suspends.
  Result<void> wait();
  /// Waits for a completed child that was not taken. Null if no child is left, or if the wait was cancelled;
  /// then `waited` has the error. Suspends.
  GroupTask* next_completed(Result<void>& waited) noexcept;
  /// The first child that was not taken, in the order of spawning, and their number. REQUIRES: no child runs.
  GroupTask* first() noexcept { return first_; }
  std::size_t size() const noexcept { return size_; }
  /// Releases a completed child after its result was taken or destroyed.
  void release(GroupTask& task) noexcept;
  /// Takes the exception of `task`: the caller rethrows it.
  std::exception_ptr take_exception(GroupTask& task) noexcept;
  /// Cancels the children and joins those that still run. Not cancellable. Suspends.
  void close() noexcept;
  void drop_exception() noexcept { exception_ = nullptr; }
  /// Ends the program if an exception was not taken, unless another exception is being handled.
  void require_no_exception() noexcept;

 private:
  void report_failure(GroupTask& task) noexcept;
  void finish(GroupTask& task) noexcept;
  void append_locked(GroupTask& task) noexcept;
  void complete_locked(GroupTask& task) noexcept;
  void fail(std::error_code error) noexcept;
  enum class Until : bool { kIdle, kCompleted };
  Result<void> wait_until(Until until) noexcept;
  bool satisfied_locked(Until until) const noexcept;

  CancelNodeStorage node_;
  const bool keeps_results_;
  const int exceptions_under_way_;
  bool failed_ = false;
  Until awaited_ = Until::kIdle;
  WaitNode* waiting_ = nullptr;  ///< the owner's node
  std::size_t running_ = 0;
  std::size_t size_ = 0;
  GroupTask* first_ = nullptr;
  GroupTask* last_ = nullptr;
  GroupTask* first_completed_ = nullptr;
  GroupTask* last_completed_ = nullptr;
  GroupTask* failing_ = nullptr;    ///< the first that failed, until it has completed
  GroupTask* last_held_ = nullptr;  ///< the last of those that completed meanwhile, or itself
  Result<void> failure_;            ///< the first one
  std::exception_ptr exception_;
  const ScopedBindingNode* bindings_;  ///< as they were when the group was made
};

/// A child with a result of type T.
template <class T>
struct GroupTaskOf : GroupTask {
  alignas(T) std::byte bytes[sizeof(T)];
  T& value() noexcept { return *std::launder(reinterpret_cast<T*>(bytes)); }
};
template <>
struct GroupTaskOf<void> : GroupTask {};

/// The content of the storage of a child's fiber: its task, its closure, and in the end its result.
template <class T, class Closure>
class GroupBox : public GroupTaskOf<T> {
 public:
  using Returned = std::invoke_result_t<Closure>;

  template <class F>
  explicit GroupBox(F&& closure) : closure_(std::forward<F>(closure)) {}
  ~GroupBox() {}  // the closure is gone when it has run, the result when it was taken

  static constexpr FiberType type() noexcept { return {sizeof(GroupBox), alignof(GroupBox), &main, nullptr}; }

 private:
  static void main(void* storage) { GroupCore::run(*std::launder(static_cast<GroupBox*>(storage)), &body); }

  static Result<void> body(GroupTask& task) { return static_cast<GroupBox&>(task).run_closure(); }

  // The closure is destroyed here, also after an exception, before the group learns of the outcome.
  Result<void> run_closure() {
    struct DestroyAtExit {
      Closure& closure;
      ~DestroyAtExit() { std::destroy_at(&closure); }
    } destroy{closure_};
    if constexpr (std::is_void_v<Returned>) {
      std::invoke(std::move(closure_));
      return {};
    } else if constexpr (!Outcome<Returned>::kMayFail) {
      new (this->bytes) T(std::invoke(std::move(closure_)));
      return {};
    } else if constexpr (std::is_void_v<T> && ProgressLike<Returned>) {
      const Returned progress = std::invoke(std::move(closure_));
      return progress.has_value() ? Result<void>() : Result<void>(progress.failure());
    } else if constexpr (std::is_void_v<T>) {
      return Outcome<Returned>::of(std::invoke(std::move(closure_)));
    } else {
      Result<T> returned = Outcome<Returned>::of(std::invoke(std::move(closure_)));
      if (!returned) return returned.failure();
      new (this->bytes) T(*std::move(returned));
      return {};
    }
  }

  union {
    Closure closure_;
  };
};

/// Creates and starts a child that runs `closure`.
template <class T, class F>
void start_child(GroupCore& group, Context& context, F&& closure, const SpawnOptions& options,
                 SourceLocation spawned_at) {
  using Box = GroupBox<T, std::decay_t<F>>;
  static_assert(std::is_same_v<typename Outcome<typename Box::Returned>::Value, T> ||
                    (std::is_void_v<T> && ProgressLike<typename Box::Returned>),
                "a child of a TaskGroup<T> returns T or Result<T>; of a TaskGroup<void>, a io::Progress too");
  Fiber& fiber = create_fiber(context, Box::type(), options, spawned_at);
  AbandonOnException guard{&fiber};
  auto* const box = new (storage_of(fiber)) Box(std::forward<F>(closure));
  guard.fiber = nullptr;
  group.start(context, fiber, *box);
}

}  // namespace detail
}  // namespace weft
