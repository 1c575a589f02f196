// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names for event loops that outlive them (L15). A descriptor knows its owner by LoopId; whoever wants to
// touch the loop itself pins it, and a loop is torn down only when nobody has it pinned.
//
// Thread safety: any thread.
// Litmus (store buffering): pin() counts itself in, then looks at the generation; retire() counts the
// generation up, then remove() looks at the pins. All seq_cst: either the pin is refused or remove() waits
// for it.

#include "base/atomic.hpp"
#include "base/spin_lock.hpp"
#include "event_loop/registration/loop_id.hpp"

#include <cstddef>

namespace weft {

class PollingEventLoop;

class LoopRegistry {
 public:
  static constexpr std::size_t kLoopsMax = 4096;

  static LoopRegistry& instance() noexcept;

  /// Gives a loop its name: no name if kLoopsMax loops are alive.
  LoopId add(PollingEventLoop& loop) noexcept;
  /// The name becomes stale: nobody pins the loop from now on.
  void retire(LoopId id) noexcept;
  /// Gives a retired name's place away; returns when nobody has the loop pinned. Pins are held for a syscall
  /// at most.
  void remove(LoopId id) noexcept;

  /// The loop, kept alive until unpin(id); null if it has been removed.
  [[nodiscard]] PollingEventLoop* pin(LoopId id) noexcept;
  void unpin(LoopId id) noexcept;

  /// Gives a loop that is complete the next birth number: from now on for_each_born() visits it.
  void announce(PollingEventLoop& loop) noexcept;
  /// The last birth number given: whoever reads it, and then visits, has seen all loops up to it.
  std::uint64_t births() const noexcept { return births_.load(acquire); }
  /// Calls `visit(PollingEventLoop&)` for each living loop that was announced, pinned meanwhile.
  template <class Visit>
  void for_each_born(Visit&& visit) noexcept;

  /// In a child of fork(): every loop there is becomes inert, and its name stale. They are not touched again.
  void become_inherited() noexcept;

  bool alive(LoopId id) const noexcept {
    return id && slots_[id.index].generation.load(seq_cst) == id.generation;
  }

 private:
  struct Slot {
    Atomic<PollingEventLoop*> loop{nullptr};
    Atomic<std::uint32_t> generation{0};  // odd: a loop has this slot
    Atomic<std::uint32_t> pins{0};
    // The loop was announced: before, it may not even be constructed. Pairs with the acquire in pin_born().
    Atomic<bool> born{false};
  };

  /// The loop of a slot if it is announced and alive, pinned; null if not.
  PollingEventLoop* pin_born(std::uint32_t index) noexcept;

  SpinLock lock_;                  // add() and announce()
  Atomic<std::uint32_t> used_{0};  // slots that ever had a loop
  Atomic<std::uint64_t> births_{
      0};  // written after the loop's own number: pairs with the acquire in births()
  Slot slots_[kLoopsMax];
};

template <class Visit>
void LoopRegistry::for_each_born(Visit&& visit) noexcept {
  const std::uint32_t used = used_.load(acquire);
  for (std::uint32_t index = 0; index < used; ++index) {
    PollingEventLoop* const loop = pin_born(index);
    if (loop == nullptr) continue;
    visit(*loop);
    slots_[index].pins.fetch_sub(1, release);
  }
}

}  // namespace weft
