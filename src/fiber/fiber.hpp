// SPDX-License-Identifier: Apache-2.0
#pragma once

// The control block of a fiber. It stands at the high end of the fiber's own stack mapping, with the
// closure below it and the stack below that: a spawn from the pool allocates nothing, and a suspended fiber
// keeps one page.
//
// Thread safety: fields are grouped by who writes them. `references` keeps the mapping: one for the
// running fiber, one for its join handle, and short ones for who looks at it from outside. The memory is
// type-stable (never unmapped while slabs live), so try_reference() is safe on a fiber that may be gone.
// The object is constructed once for each slot and reset for each fiber in it; the epoch of its wait word
// goes on, so that a late ticket of an earlier fiber fails.
//
// States: free (references 0) -> created -> enqueued <-> running <-> suspended -> done -> free.

#include <weft/source_location.hpp>

#include "base/cache_line.hpp"
#include "base/spin_lock.hpp"
#include "fiber/flow.hpp"
#include "fiber/runner.hpp"
#include "fiber/stack_pool.hpp"
#include "fiber/waiter.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

namespace weft {

struct DebuggerLayout;

/// Runs the closure at `storage` (and leaves its result there). May throw, and then leaves nothing there.
using FiberMain = void (*)(void* storage);
/// Destroys what is left at `storage`: a result, or a closure that never ran.
using FiberDrop = void (*)(void* storage) noexcept;

/// What a fiber is created with.
struct FiberOptions {
  Home* home = nullptr;        ///< where it will be enqueued
  std::string_view name = {};  ///< copied, at most Fiber::kNameSizeMax bytes
  std::size_t stack_size = 0;  ///< bytes of stack, closure included; rounded up; 0: 128 KiB
  SourceLocation spawned_at = {};
  std::size_t storage_size = 0;       ///< bytes of closure and result, in the fiber's mapping
  std::size_t storage_alignment = 1;  ///< at most 4096
};

namespace detail {

class alignas(kCacheLine) Fiber final : public Waiter {
 public:
  static constexpr std::size_t kNameSizeMax = 31;

  /// A fiber with two references (its run and its handle) on a stack of the pool; not yet runnable: the
  /// caller sets main and drop, and constructs the closure in `storage`. Null when there is no memory
  /// for another stack, or none as large as asked for. Any thread; `cache` is the calling runner's or null.
  static Fiber* create(StackPool& pool, StackCache* cache, const FiberOptions& options) noexcept;

  // -- written by the thread that switches ---------------------------------------------------------------
  /// How many of its last runs that were measured took 1 ms or more, in a row; at most 2. A hint.
  Atomic<std::uint8_t> long_runs{0};
  Flow flow;
  Fiber* queue_next = nullptr;  ///< link in the one queue that holds this fiber while it is runnable

  // -- fixed from create() to the last release() ---------------------------------------------------------
  Home* home = nullptr;
  FiberMain main = nullptr;
  FiberDrop drop = nullptr;
  void* storage = nullptr;
  SourceLocation spawned_at;
  std::uint64_t id = 0;

  // -- completion: guarded by join_lock (fiber/join.hpp) -------------------------------------------------
  SpinLock join_lock;
  bool done = false;
  bool started = false;        ///< the closure was run; written by the fiber before it is done
  bool main_returned = false;  ///< the result stands in `storage`
  bool detached = false;       ///< nobody holds a handle: an escaping exception ends the program
  WaitList joiners;
  std::exception_ptr exception;

  /// Adds a reference. REQUIRES: the caller holds one.
  void reference() noexcept;
  /// Adds a reference unless the fiber is free or being freed. Any thread, at any time.
  [[nodiscard]] bool try_reference() noexcept;
  /// Gives back a reference; the last one returns the stack. What is in `storage` should be gone by then, as
  /// this may run on the stack of a fiber that has nothing to do with it; if it is not, it is destroyed here.
  /// REQUIRES: the fiber does not run and is in no queue, list or timer when the last one goes.
  void release(StackPool& pool, StackCache* cache) noexcept;

  /// Destroys what is left in `storage`, once. By whoever knows that nobody else looks at it: the fiber
  /// itself, if it is detached when it ends, or who holds the handle of a fiber that is done. May suspend:
  /// what is destroyed is the user's.
  void drop_storage() noexcept;

  /// Requests cancellation: sticky; ends the current wait if it is cancellable. Any thread with a reference.
  void cancel() noexcept;

  std::string_view name() const noexcept { return {name_, name_size_}; }

  /// The memory that the fiber may use as its stack: [stack_low(), stack_top()).
  std::byte* stack_low() noexcept;
  std::byte* stack_top() noexcept;

  /// Where the fiber of a slot stands. Its object exists if the slot's references are not 0.
  static Fiber& in_slot(StackSlot& slot) noexcept {
    return *reinterpret_cast<Fiber*>(reinterpret_cast<std::byte*>(&slot) - kSize);
  }
  StackSlot& slot() noexcept {
    return *reinterpret_cast<StackSlot*>(reinterpret_cast<std::byte*>(this) + kSize);
  }

 private:
  friend struct weft::DebuggerLayout;

  static const std::size_t kSize;

  Fiber() noexcept : Waiter(Kind::kFiber) {}
  ~Fiber() = delete;  // constructed once, reset for each fiber
  static Fiber& construct(StackSlot& slot) noexcept;
  void initialize(const FiberOptions& options) noexcept;
  void set_name(std::string_view name) noexcept;
  void reset() noexcept;

  std::uint8_t name_size_ = 0;
  char name_[kNameSizeMax] = {};
};

}  // namespace detail

using detail::Fiber;

inline constexpr std::size_t Fiber::kSize = sizeof(Fiber);

/// The smallest stack that create() makes room for beside the closure.
inline constexpr std::size_t kStackSizeMin = 8 * 1024;

/// Calls `visit(Fiber&)` for every fiber of the pool that is not free, each held by a reference meanwhile.
/// Fibers created during the call may be missed. Any thread; `cache` is the calling runner's or null.
template <class Visit>
void for_each_fiber(StackPool& pool, StackCache* cache, Visit&& visit) {
  pool.for_each_slot([&](StackSlot& slot) {
    Fiber& fiber = Fiber::in_slot(slot);
    if (!fiber.try_reference()) return;
    visit(fiber);
    fiber.release(pool, cache);
  });
}

}  // namespace weft
