// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/fiber_start.hpp>
#include <weft/result.hpp>

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
  bool done() const noexcept;
  void cancel() noexcept;
  void detach() noexcept;
  void join() noexcept;
  Result<void> join_until(Deadline deadline) noexcept;
  /// The result of a fiber that is done; throws what escaped from it.
  void* take_storage();
  void release() noexcept;
  std::uint64_t id() const noexcept;
  std::string_view name() const noexcept;
  /// REQUIRES: joinable().
  Fiber& fiber() const noexcept { return *fiber_; }

 private:
  Fiber* fiber_ = nullptr;
};

}  // namespace detail

/// What spawn() returns: the way to wait for a fiber and to get its result. Move-only.
///
/// A dropped handle detaches: the fiber goes on, and an exception that escapes from it then ends the program
/// with a message that names the fiber and where it was spawned. If it has not started when the function
/// given to run() returns, it is not started any more. Not thread-safe; may be moved to another fiber or
/// plain thread and be joined there.
///
///     auto answer = weft::spawn([] { return 42; });
///     int n = answer.join();
template <class T>
class JoinHandle {
 public:
  /// Of no fiber.
  JoinHandle() noexcept = default;

  /// Waits for the fiber to end: its result. Throws the exception that escaped from it. Suspends the calling
  /// fiber, or blocks a plain thread. Not cancellable, see join_until(). REQUIRES: joinable(); BUG if a fiber
  /// joins itself.
  T join() {
    handle_.join();
    return take();
  }

  /// The same, given up at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled); the handle then stays joinable and nothing is lost.
  Result<T> join_until(Deadline deadline) {
    if (Result<void> joined = handle_.join_until(deadline); !joined) return joined.error();
    if constexpr (std::is_void_v<T>) {
      take();
      return {};
    } else {
      return take();
    }
  }

  /// Asks the fiber to stop: sticky; every cancellable wait in it fails with Errc::cancelled from now on.
  /// Does not wait.
  void cancel() noexcept { handle_.cancel(); }

  /// Lets the fiber go on alone.
  void detach() noexcept { handle_.detach(); }

  /// False for a default, joined, detached or moved-from handle.
  bool joinable() const noexcept { return handle_.joinable(); }
  /// Whether join() would return at once. REQUIRES: joinable().
  bool done() const noexcept { return handle_.done(); }

  /// The fiber's number, unique in the process, and its name. REQUIRES: joinable().
  std::uint64_t id() const noexcept { return handle_.id(); }
  std::string_view name() const noexcept { return handle_.name(); }

  /// The internals, for this library. REQUIRES: joinable().
  Fiber& fiber() const noexcept { return handle_.fiber(); }

 private:
  template <class F>
  friend auto spawn_in(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at);

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
