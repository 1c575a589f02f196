// SPDX-License-Identifier: Apache-2.0
#pragma once

// What can be said about one fiber, or one plain thread that waits, at one moment, without keeping it
// (docs/design/dump.md).

#include "fiber/fiber.hpp"
#include "fiber/thread_waiter.hpp"
#include "fiber/wait_kind.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weft {

/// A wait that was looked at while it was held: at that moment the fiber was suspended in it.
struct HeldWait {
  static constexpr std::size_t kFramesMax = 32;

  WaitKind kind = WaitKind::kUnknown;
  std::int64_t deadline_ns = Waiter::kNoDeadline;
  WaitDescription what;
  bool parked = false;  ///< off its stack, or asleep; else it is about to be, and there are no frames
  std::array<void*, kFramesMax> frame_room;
  std::size_t frame_count = 0;
  std::uint64_t epoch = 0;  ///< which of the waiter's waits it is

  std::span<void* const> frames() const noexcept { return {frame_room.data(), frame_count}; }
  /// Only a fiber, or a thread that is not weft's, can end it.
  bool internal() const noexcept { return parked && !what.external && deadline_ns == Waiter::kNoDeadline; }

  /// Of a fiber that waits; none if it does not. `fiber` is kept by a reference. Any thread.
  static std::optional<HeldWait> of(Fiber& fiber) noexcept;
  /// Of a plain thread, without frames. In ThreadWaiter::for_each().
  static std::optional<HeldWait> of(ThreadWaiter& thread) noexcept;

 private:
  static std::optional<HeldWait> hold(Waiter& waiter) noexcept;
  void let_go(Waiter& waiter) noexcept;
  void walk(Fiber& fiber) noexcept;
};

}  // namespace weft
