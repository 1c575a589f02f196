// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
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
  /// BUG at the caller's line if the handle is empty.
  void require(const char* what_is_wrong, SourceLocation called_at) const noexcept {
    if (fiber_ == nullptr) [[unlikely]]
      report_empty(what_is_wrong, called_at);
  }
  // All methods below REQUIRE joinable().
  bool done() const noexcept;
  void cancel() noexcept;
  void detach() noexcept;
  void join_uncancellable() noexcept;
  Result<void> join_until(Deadline deadline) noexcept;
  /// The result of a fiber that is done; throws the exception that escaped from it.
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
/// Starts a fiber in a context. Every spawn() of the public API calls it.
template <class F>
auto spawn_in(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at);
/// For a select.
template <class T>
void require_joinable(const JoinHandle<T>& handle, SourceLocation called_at) noexcept;
}  // namespace detail

/// The result of spawn(): waits for a fiber and gives its result. Move-only.
///
/// Destroying the handle detaches the fiber: the fiber continues. If an exception then escapes from it, the
/// program ends with a message that names the fiber and the place where it was spawned. A detached fiber that
/// has not started when the function given to run() returns is never started.
///
/// Thread safety: one fiber or plain thread uses the handle at a time; it may be moved to another one and
/// joined there. BUG if two fibers wait in its join(), or if it is joined, detached or moved while one waits.
///
///     auto answer = weft::spawn([] { return 42; });
///     weft::Result<int> n = answer.join();   // cancellable, like every call that waits and returns a Result
template <class T>
class JoinHandle {
 public:
  /// The result of join(): Result<T>. If the fiber returns a Result, it is that Result. If the fiber returns
  /// an error code (std::error_code, Errc), it is Result<void>, success if the code is zero.
  using Joined = Result<typename detail::Outcome<T>::Value>;

  /// An empty handle.
  JoinHandle() noexcept = default;

  /// Waits until the fiber has ended, and returns its result. Throws the exception that escaped from it.
  /// Suspends the calling fiber, or blocks a plain thread. BUG if the handle is empty, or a fiber joins
  /// itself.
  ///
  /// Cancellable: fails when the calling fiber is cancelled (Errc::cancelled) or at the deadline of the
  /// enclosing scope (Errc::timed_out). The other fiber then continues, the handle stays joinable(), and
  /// nothing is lost. After an error that the other fiber returned, the handle is not joinable(). If the
  /// other fiber has ended, its result is returned even if the caller is cancelled.
  Joined join(SourceLocation called_at = SourceLocation::current()) {
    return join_until(Deadline::never(), called_at);
  }

  /// The same with a deadline (Errc::timed_out).
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

  /// Waits until the fiber has ended, and returns the value that it returned. Neither a cancellation nor the
  /// deadline of a scope ends the wait. Use it for a fiber that uses variables of the caller's block, and for
  /// clean-up. Otherwise like join().
  T join_uncancellable(SourceLocation called_at = SourceLocation::current()) {
    handle_.require(kJoinOfNothing, called_at);
    handle_.join_uncancellable();
    return take();
  }

  /// Asks the fiber to stop: from now on every cancellable wait in it fails with Errc::cancelled. Does not
  /// wait. No effect if the fiber has ended. BUG if the handle is empty.
  void cancel(SourceLocation called_at = SourceLocation::current()) noexcept {
    handle_.require("cancel() of an empty join handle", called_at);
    handle_.cancel();
  }

  /// Detaches the fiber: it continues, and the handle becomes empty. No effect on an empty handle.
  void detach() noexcept { handle_.detach(); }

  /// False for a default, joined, detached or moved-from handle.
  bool joinable() const noexcept { return handle_.joinable(); }
  /// True if join() would return at once. BUG if the handle is empty.
  bool done(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("done() of an empty join handle", called_at);
    return handle_.done();
  }

  /// The fiber's number, unique in the process, and its name. The name is valid while the handle is joinable.
  /// BUG if the handle is empty.
  std::uint64_t id(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("id() of an empty join handle", called_at);
    return handle_.id();
  }
  std::string_view name(SourceLocation called_at = SourceLocation::current()) const noexcept {
    handle_.require("name() of an empty join handle", called_at);
    return handle_.name();
  }

 private:
  friend struct detail::Access;

  template <class F>
  friend auto detail::spawn_in(detail::Context& context, F&& closure, const SpawnOptions& options,
                               SourceLocation spawned_at);

  template <class U>
  friend void detail::require_joinable(const JoinHandle<U>& handle, SourceLocation called_at) noexcept;

  static constexpr const char* kJoinOfNothing = "join() of an empty join handle";

  using Stored = std::conditional_t<std::is_void_v<T>, detail::NoResult, T>;

  detail::Fiber& fiber() const noexcept { return handle_.fiber(); }

  JoinHandle(detail::Fiber& fiber, Stored& (*result)(void*)) noexcept : handle_(fiber), result_(result) {}

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

template <class F>
auto detail::spawn_in(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at) {
  using Box = FiberBox<std::decay_t<F>>;
  Fiber& fiber = start(context, std::forward<F>(closure), options, spawned_at);
  return JoinHandle<typename Box::Returned>(fiber, [](void* storage) -> typename Box::Result& {
    return std::launder(static_cast<Box*>(storage))->result();
  });
}

}  // namespace weft
