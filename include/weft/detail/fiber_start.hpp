// SPDX-License-Identifier: Apache-2.0
#pragma once

// Starts a fiber with a typed closure. The closure is constructed in the fiber's own mapping and runs there;
// its result replaces it. Internal: this header may change at any time.

#include <weft/source_location.hpp>
#include <weft/spawn_options.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {

class Context;
class Fiber;

/// The operations of a closure type.
struct FiberType {
  std::size_t size;
  std::size_t alignment;
  void (*main)(void* storage);
  void (*drop)(void* storage) noexcept;
};

/// Creates a fiber with room for a closure, and does not start it. Throws std::bad_alloc.
Fiber& create_fiber(Context& context, const FiberType& type, const SpawnOptions& options,
                    SourceLocation spawned_at);
void* storage_of(Fiber& fiber) noexcept;
void start_fiber(Context& context, Fiber& fiber) noexcept;
/// Releases a fiber that was not started because its closure could not be constructed.
void abandon_fiber(Fiber& fiber) noexcept;

/// Abandons a fiber whose closure could not be constructed.
struct AbandonOnException {
  Fiber* fiber;
  ~AbandonOnException() {
    if (fiber != nullptr) abandon_fiber(*fiber);
  }
};

struct NoResult {};

/// The content of a fiber's storage: the closure, and after its return the result.
template <class Closure>
class FiberBox {
 public:
  using Returned = std::invoke_result_t<Closure>;
  static_assert(!std::is_reference_v<Returned>, "a fiber cannot return a reference");
  using Result = std::conditional_t<std::is_void_v<Returned>, NoResult, Returned>;

  template <class F>
  explicit FiberBox(F&& closure) : closure_(std::forward<F>(closure)) {}
  ~FiberBox() { returned_ ? result_.~Result() : closure_.~Closure(); }
  FiberBox(const FiberBox&) = delete;
  FiberBox& operator=(const FiberBox&) = delete;

  Result& result() noexcept { return result_; }

  /// Runs the closure and destroys it. After an exception the box is empty.
  void run() {
    DestroyAtExit closure{&closure_};
    if constexpr (std::is_void_v<Returned>) {
      std::move(closure_)();
      closure.destroy();
      new (&result_) Result();
    } else {
      Result result = std::move(closure_)();
      closure.destroy();
      new (&result_) Result(std::move(result));
    }
    returned_ = true;
  }

  static void main(void* storage) { std::launder(static_cast<FiberBox*>(storage))->run(); }
  static void drop(void* storage) noexcept { std::launder(static_cast<FiberBox*>(storage))->~FiberBox(); }
  static constexpr FiberType type() noexcept { return {sizeof(FiberBox), alignof(FiberBox), &main, &drop}; }

 private:
  struct DestroyAtExit {
    Closure* closure;
    void destroy() { std::exchange(closure, nullptr)->~Closure(); }
    ~DestroyAtExit() {
      if (closure != nullptr) destroy();
    }
  };

  union {
    Closure closure_;
    Result result_;
  };
  bool returned_ = false;
};

/// Creates and starts a fiber that runs `closure`.
template <class F>
Fiber& start(Context& context, F&& closure, const SpawnOptions& options, SourceLocation spawned_at) {
  using Box = FiberBox<std::decay_t<F>>;
  Fiber& fiber = create_fiber(context, Box::type(), options, spawned_at);
  AbandonOnException guard{&fiber};
  new (storage_of(fiber)) Box(std::forward<F>(closure));
  guard.fiber = nullptr;
  start_fiber(context, fiber);
  return fiber;
}

}  // namespace detail
}  // namespace weft
