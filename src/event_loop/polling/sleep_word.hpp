// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a loop sleeps, or is about to (S2; docs/design/idle.md).
//
//   awake      the loop will not block, or nobody is in it
//   announced  it is about to block: it looks at this word once more itself
//   blocked    it is blocked, or just about to be: it must be notified
//
// Thread safety: interrupt() by any thread, the rest by the one that sleeps.
// Litmus (store buffering): the sleeper announces, then looks for work; a submitter publishes work, then
// looks here. Both with a full fence between: one sees the other.

#include "base/atomic.hpp"

#include <cstdint>

namespace weft {

class SleepWord {
 public:
  void announce() noexcept { state_.store(State::kAnnounced, seq_cst); }
  void withdraw() noexcept { state_.store(State::kAwake, relaxed); }
  /// Never announced, or interrupted already. Stale is fine: begin_block() decides.
  bool awake() const noexcept { return state_.load(relaxed) == State::kAwake; }

  /// From now on interrupters notify. False: interrupted since announce().
  [[nodiscard]] bool begin_block() noexcept {
    State announced = State::kAnnounced;
    return state_.compare_exchange_strong(announced, State::kBlocked, seq_cst);
  }
  /// True: it was interrupted.
  bool end_block() noexcept { return state_.exchange(State::kAwake, seq_cst) == State::kAwake; }

  /// Keeps the loop from sleeping, or ends its sleep. True: the caller must notify it, the only one to do so.
  [[nodiscard]] bool interrupt() noexcept {
    if (state_.load(seq_cst) == State::kAwake) return false;
    return state_.exchange(State::kAwake, seq_cst) == State::kBlocked;
  }

 private:
  enum class State : std::uint32_t { kAwake, kAnnounced, kBlocked };

  Atomic<State> state_{State::kAwake};
};

}  // namespace weft
