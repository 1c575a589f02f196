// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/fiber_start.hpp>
#include <weft/detail/outcome.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

namespace weft {

namespace detail {

/// The untyped half of a join handle: one reference to a fiber.
class FiberHandle {
 public:
  FiberHandle() noexcept = default;
  explicit FiberHandle(Fiber& fiber) noexcept : fiber_(&fiber) {}
  FiberHandle(FiberHandle&& other) noexcept : fiber_(std::exchange(other.fiber_, nullptr)) {}
  FiberHandle& operator=(FiberHandle&& other) noexcept {
    if (this != &other) {
      detach();
      fiber_ = std::exchange(other.fiber_, nullptr);
    }
    return *this;
  }
  ~FiberHandle() {
    if (fiber_ != nullptr) detach();
  }

  bool joinable() const noexcept { return fiber_ != nullptr; }
  /// BUG at the caller's line if it is of no fiber.
  void require(const char* what_is_wrong, SourceLocation called_at) const noexcept {
    if (fiber_ == nullptr) [[unlikely]]
      report_empty(what_is_wrong, called_at);
  }
  // All that follow REQUIRE joinable().
  bool done() const noexcept;
  void cancel() noexcept;
  void detach() noexcept;
  void join_uncancellable() noexcept;
  Result<void> join_until(Deadline deadline) noexcept;
  /// The result of a fiber that is done; throws what escaped from it.
  void* take_storage();
  void release() noexcept;
  std::uint64_t id() const noexcept;
  std::string_view name() const noexcept;
  Fiber& fiber() const noexcept { return *fiber_; }

 private:
  [[noreturn, gnu::cold]] static void report_empty(const char* what_is_wrong,
                                                   SourceLocation called_at) noexcept;
  void require_still_of(const Fiber& fiber) const noexcept;

  Fiber* fiber_ = nullptr;
};

}  // namespace detail

template <class T>
class JoinHandle;

namespace detail {
/// For a select.
template <class T>
void require_joinable(const JoinHandle<T>& handle, SourceLocation called_at) noexcept;
}  // namespace detail

/// What spawn() returns: the way to wait for a fiber and to get its result. Move-only.
///
/// A dropped handle detaches: the fiber goes on, and an exception that escapes from it then ends the program
/// with a message that names the fiber and where it was spawned. If it has not started when the function
/// given to run() returns, it is not started any more. Not thread-safe; may be moved to another fiber or
/// plain thread and be joined there. It is one fiber's at a time: BUG if two fibers wait in its join(), or if
/// it is joined, detached or moved while one does.
///
///     auto answer = weft::spawn([] { return 42; });
///     weft::Result<int> n = answer.join();   // cancellable, as every call that waits and returns a Result
template <class T>
class JoinHandle {
 public:
  /// What join() gives. Result<T>; but of a fiber that returns a Result, that Result, and of one that returns
  /// an error code (std::error_code, Errc) Result<void>: success if the code is zero.
  using Joined = Result<typename detail::Outcome<T>::Value>;

  /// Of no fiber.
  JoinHandle() noexcept = default;

  /// Waits for the fiber to end: its result. Throws the exception that escaped from it. Suspends the calling
  /// fiber, or blocks a plain thread. Cancellable: gives up when the calling fiber is cancelled
  /// (Errc::cancelled) or at the deadline of the scope around it (Errc::timed_out). The fiber that is waited
  /// for goes on then, the handle stays joinable() and nothing is lost; an error that came from the fiber
  /// leaves it not joinable(). The result of a fiber that has ended is given also after a cancel. BUG if the
  /// handle is empty, or a fiber joins itself.
  Joined join(SourceLocation called_at = SourceLocation::current()) {
    return join_until(Deadline::never(), called_at);
  }

  /// The same, given up also at the deadline (Errc::timed_out).
  Joined join_until(Deadline deadline, SourceLocation called_at = SourceLocation::current()) {
    handle_.require(kJoinOfNothing, called_at);
    if (Result<void> joined = handle_.join_until(deadline); !joined) return joined.error();
    if constexpr (std::is_void_v<T>) {
      take();
      return {};
    } else {
      return detail::Outcome<T>::of(take());
    }
  }

  /// Waits for the fiber to end, however long that takes: what it returned, as it is. Neither a cancel nor a
  /// scope's deadline ends the wait. For a fiber that uses what is in the caller's frame, and clean-up.
  /// Otherwise as join().
  T join_uncancellable(SourceLocation called_at = SourceLocation::current()) {
    handle_.require(kJoinOfNothing, called_at);
    handle_.join_uncancellable();
    return take();
  }

  /// Asks the fiber to stop: sticky; every cancellable wait in it fails with Errc::cancelled from now on.
  /// Does not wait. Of no effect when it has ended. BUG if the handle is empty.
  void cancel(SourceLocation called_at = SourceLocation::current()) noexcept {
    handle_.require("cancel() of an empty join handle", called_at);
    handle_.cancel();
  }

  /// Lets the fiber go on alone. Of no effect for an empty handle.
  void detach() noexcept { handle_.detach(); }

  /// False for a default, joined, detached or moved-from handle.
  bool joinable() const noexcept { return handle_.joinable(); }
  /// Whether join() would return at once. BUG if the handle is empty.
  bool done(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("done() of an empty join handle", called_at);
    return handle_.done();
  }

  /// The fiber's number, unique in the process, and its name, valid as long as the handle is joinable. BUG if
  /// the handle is empty.
  std::uint64_t id(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("id() of an empty join handle", called_at);
    return handle_.id();
  }
  std::string_view name(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("name() of an empty join handle", called_at);
    return handle_.name();
  }

  /// The internals, for this library. REQUIRES: joinable().
  Fiber& fiber() const noexcept { return handle_.fiber(); }

 private:
  template <class F>
  friend auto spawn_in(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at);

  template <class U>
  friend void detail::require_joinable(const JoinHandle<U>& handle, SourceLocation called_at) noexcept;

  static constexpr const char* kJoinOfNothing = "join() of an empty join handle";

  using Stored = std::conditional_t<std::is_void_v<T>, detail::NoResult, T>;

  JoinHandle(Fiber& fiber, Stored& (*result)(void*)) noexcept : handle_(fiber), result_(result) {}

  T take() {
    struct ReleaseAtExit {
      detail::FiberHandle& handle;
      ~ReleaseAtExit() { handle.release(); }
    } release_at_exit{handle_};
    void* const storage = handle_.take_storage();
    if constexpr (!std::is_void_v<T>) {
      return std::move(result_(storage));
    } else {
      static_cast<void>(storage);
    }
  }

  detail::FiberHandle handle_;
  Stored& (*result_)(void*) = nullptr;
};

template <class T>
void detail::require_joinable(const JoinHandle<T>& handle, SourceLocation called_at) noexcept {
  handle.handle_.require(JoinHandle<T>::kJoinOfNothing, called_at);
}

/// Starts a fiber in a context; what every spawn() of the public API does.
template <class F>
auto spawn_in(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at) {
  using Box = detail::FiberBox<std::decay_t<F>>;
  Fiber& fiber = detail::start(context, std::forward<F>(closure), options, spawned_at);
  return JoinHandle<typename Box::Returned>(fiber, [](void* storage) -> typename Box::Result& {
    return std::launder(static_cast<Box*>(storage))->result();
  });
}

}  // namespace weft
