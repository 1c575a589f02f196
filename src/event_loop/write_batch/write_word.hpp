// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who may touch the slot of a write that was put off (docs/design/write-batch.md has the transitions).
//
// Thread safety: each method says who may call it.

#include "base/atomic.hpp"

#include <cstdint>

namespace weft {

/// A number that a slot gives to each write anew; 0 is nobody's.
using WriteTicket = std::uint64_t;

class WriteWord {
 public:
  // -- the batch's thread
  /// Acquire: who had the slot before has read its bytes.
  bool is_free() const noexcept { return state_of(word_.load(acquire)) == kFree; }
  /// What queue() is going to return. REQUIRES: free.
  WriteTicket next_ticket() const noexcept { return word_.load(relaxed) & ~kStates; }
  /// free -> queued. Release: the bytes.
  WriteTicket queue() noexcept {
    const std::uint64_t ticket = word_.load(relaxed) & ~kStates;
    word_.store(ticket | kQueued, release);
    return ticket;
  }

  // -- who sends: the batch's thread, or the monitor's
  /// queued -> sending, by one of all who try.
  bool take() noexcept {
    std::uint64_t seen = word_.load(relaxed);
    return state_of(seen) == kQueued &&
           word_.compare_exchange_strong(seen, (seen & ~kStates) | kSending, acquire, relaxed);
  }
  /// sending -> free, or held if the write did not succeed as a whole: its fiber has to go on with it.
  void sent() noexcept { give_back(); }
  void failed() noexcept { word_.store((word_.load(relaxed) & ~kStates) | kHeld, release); }

  // -- the fiber whose write it is
  /// All was sent.
  bool is_over(WriteTicket ticket) const noexcept { return (word_.load(acquire) & ~kStates) != ticket; }
  /// queued -> held, unless it is being sent or held already: true if this call did it.
  bool withdraw(WriteTicket ticket) noexcept {
    std::uint64_t seen = ticket | kQueued;
    return word_.compare_exchange_strong(seen, ticket | kHeld, acquire, relaxed);
  }
  /// What has become of it, queued no more. One look: who spins on it sees what it looked at change.
  enum class Fate { kSending, kHeld, kOver };
  Fate fate(WriteTicket ticket) const noexcept {
    const std::uint64_t word = word_.load(acquire);
    if ((word & ~kStates) != ticket) return Fate::kOver;
    return state_of(word) == kHeld ? Fate::kHeld : Fate::kSending;
  }
  /// held -> free. Release: the bytes were read.
  void give_back() noexcept { word_.store((word_.load(relaxed) & ~kStates) + kStates + 1, release); }

 private:
  static constexpr std::uint64_t kFree = 0, kQueued = 1, kSending = 2, kHeld = 3, kStates = 3;
  static std::uint64_t state_of(std::uint64_t word) noexcept { return word & kStates; }

  Atomic<std::uint64_t> word_{kStates + 1};
};

}  // namespace weft
