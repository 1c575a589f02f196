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
#include "event_loop/loop_id.hpp"

#include <cstddef>

namespace weft {

class PollingEventLoop;

class LoopRegistry {
 public:
  static constexpr std::size_t kLoopsMax = 4096;

  static LoopRegistry& instance() noexcept;

  /// Gives a loop its name; BUG if kLoopsMax loops are alive.
  LoopId add(PollingEventLoop& loop) noexcept;
  /// The name becomes stale: nobody pins the loop from now on.
  void retire(LoopId id) noexcept;
  /// Gives a retired name's place away; returns when nobody has the loop pinned. Pins are held for a syscall
  /// at most.
  void remove(LoopId id) noexcept;

  /// The loop, kept alive until unpin(id); null if it has been removed.
  [[nodiscard]] PollingEventLoop* pin(LoopId id) noexcept;
  void unpin(LoopId id) noexcept;

  bool alive(LoopId id) const noexcept {
    return id && slots_[id.index].generation.load(seq_cst) == id.generation;
  }

 private:
  struct Slot {
    Atomic<PollingEventLoop*> loop{nullptr};
    Atomic<std::uint32_t> generation{0};  // odd: a loop has this slot
    Atomic<std::uint32_t> pins{0};
  };

  SpinLock lock_;  // add() only
  Slot slots_[kLoopsMax];
};

}  // namespace weft
