// SPDX-License-Identifier: Apache-2.0
#pragma once

// The word that everybody who could end a wait races for (L6, P1; docs/design/wait.md).
//
//   bits  0..15  state     0 idle, from 2 on the outcome of the last wait, from 0xff00 on waiting:
//                          bits 0..6 then say for what (wait_kind.hpp), bit 7 that the wait is held
//   bit   16     cancellable: this wait may end with kCancelled
//   bit   17     cancel requested: sticky, set by others at any time
//   bits 18..63  epoch     counts waits; a late CAS on an earlier wait fails (P1)
//
// Thread safety: begin() and the readers of the last outcome are the waiter's own; try_win() and
// request_cancel() may be called by any thread that keeps the waiter's memory alive.
// Invariants: WW1 exactly one try_win() of an epoch returns true. WW2 the winner, and nobody else,
// wakes the waiter, once. WW3 while the state is not `waiting` only the cancel bit changes, but by the
// waiter itself. WW7 a wait that is held ends only after let_go(): who would win it spins meanwhile
// (docs/design/dump.md). All that hold() costs the others is where they have lost already.

#include "base/atomic.hpp"
#include "base/hot.hpp"
#include "base/panic.hpp"
#include "base/spin_backoff.hpp"
#include "fiber/wait_kind.hpp"

#include <cstdint>

namespace weft {

/// How a wait ended. Values from `kFirstBranch` on name the branch of a select.
enum class WaitOutcome : std::uint16_t {
  kReady = 2,
  kTimedOut,
  kCancelled,
  kClosed,
  kRetry,  ///< the wait must be repeated (its loop was retired)
  kFirstBranch = 16,
};

class WaitWord;

namespace detail {

/// One particular wait of one waiter; what a try_win() is for.
class WaitTicket {
 public:
  WaitTicket() noexcept = default;

 private:
  friend class weft::WaitWord;
  explicit WaitTicket(std::uint64_t word) noexcept : word_(word) {}
  std::uint64_t word_ = ~std::uint64_t{0};  // of no wait: try_win() always fails
};

}  // namespace detail

using detail::WaitTicket;

class WaitWord {
 public:
  enum class Cancellable : bool { kNo, kYes };

  /// Starts a wait: from now on try_win() can succeed. The waiter then publishes itself wherever it
  /// wants to be found, looks once more whether it must wait at all, and suspends. Waiter only.
  ///
  /// The read-modify-write is also the full barrier of the store-buffer litmus with whoever looks at
  /// this word after having changed what the waiter looks at next (the lazy timer, cancel requests).
  WaitTicket begin(Cancellable cancellable, WaitKind kind = WaitKind::kUnknown) noexcept {
    const std::uint64_t before = word_.load(relaxed);  // own state: nobody else changes it (WW3)
    const std::uint64_t wanted = (before & kEpochMask) + kEpochOne + kWaiting +
                                 static_cast<std::uint64_t>(kind) +
                                 (cancellable == Cancellable::kYes ? kCancellableBit : 0);
    const std::uint64_t delta = wanted - (before & ~kCancelBit);
    word_.fetch_add(delta, seq_cst);  // adds beside the cancel bit, which may be set meanwhile
    return WaitTicket(wanted);
  }

  /// Ends the wait `ticket` with `outcome`; false if it has ended already. The caller that gets true
  /// must wake the waiter (or is the waiter, and does not suspend).
  [[nodiscard]] WEFT_HOT bool try_win(WaitTicket ticket, WaitOutcome outcome) noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if ((word & ~kCancelBit) != ticket.word_) [[unlikely]] {
        word = wait_until_let_go(word);
        if ((word & ~kCancelBit) != ticket.word_) return false;
      }
      // Release: what the winner did before is seen by the waiter; acquire: begin()'s earlier stores.
    } while (!word_.compare_exchange_weak(word, (word & ~kStateMask) | static_cast<std::uint64_t>(outcome),
                                          acq_rel, relaxed));
    return true;
  }

  /// The same, but false also if it might have been true: then try_win() decides. Makes no calls.
  [[nodiscard]] WEFT_HOT bool try_win_at_once(WaitTicket ticket, WaitOutcome outcome) noexcept {
    std::uint64_t word = word_.load(relaxed);
    if ((word & ~kCancelBit) != ticket.word_) [[unlikely]]
      return false;
    return word_.compare_exchange_weak(word, (word & ~kStateMask) | static_cast<std::uint64_t>(outcome),
                                       acq_rel, relaxed);
  }

  /// The wait that is going on now, to be tried with try_win(); false if none is. Any thread.
  [[nodiscard]] bool current(WaitTicket& ticket) const noexcept {
    const std::uint64_t word = word_.load(seq_cst);  // seq_cst: see begin()
    if ((word & kStateMask) < kWaiting) return false;
    ticket = WaitTicket(word & ~(kCancelBit | kHeldBit));
    return true;
  }

  /// How the last wait ended. Waiter only, after it was woken or has won itself.
  WaitOutcome outcome() const noexcept { return static_cast<WaitOutcome>(word_.load(acquire) & kStateMask); }
  bool waiting() const noexcept { return (word_.load(acquire) & kStateMask) >= kWaiting; }

  /// Whether `ticket` is the wait that is going on now. Any thread.
  bool waits(WaitTicket ticket) const noexcept {
    return (word_.load(acquire) & ~(kCancelBit | kHeldBit)) == ticket.word_;
  }

  /// Keeps the wait that is going on now from ending, until let_go(): the waiter stays suspended, if it is,
  /// and what it waits for stays where it is. False if none is going on, or somebody else holds it. For a few
  /// hundred instructions that take no lock: whoever is about to end the wait spins. Any thread that keeps
  /// the waiter's memory alive.
  [[nodiscard]] bool hold(WaitKind& kind) noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if ((word & kStateMask) < kWaiting || held(word)) return false;
      // Acquire: what the waiter stored before begin() is seen.
    } while (!word_.compare_exchange_weak(word, word | kHeldBit, acq_rel, relaxed));
    kind = static_cast<WaitKind>(word & kKindMask);
    return true;
  }
  /// REQUIRES: hold() returned true for the caller. Release: what was read is read before the waiter goes on.
  void let_go() noexcept { word_.fetch_and(~kHeldBit, release); }

  /// Sets the sticky cancel bit. Returns true if this call ended a cancellable wait: the caller must
  /// then wake the waiter. Any thread.
  [[nodiscard]] bool request_cancel() noexcept {
    std::uint64_t word = word_.fetch_or(kCancelBit, seq_cst) | kCancelBit;
    while ((word & kStateMask) >= kWaiting && (word & kCancellableBit) != 0) {
      if (held(word)) [[unlikely]] {
        word = wait_until_let_go(word);
        continue;
      }
      const std::uint64_t won = (word & ~kStateMask) | static_cast<std::uint64_t>(WaitOutcome::kCancelled);
      if (word_.compare_exchange_weak(word, won, acq_rel, relaxed)) return true;
    }
    return false;
  }

  /// Which wait the last one was; grows with each. Any thread.
  std::uint64_t epoch() const noexcept { return word_.load(acquire) / kEpochOne; }

  bool cancel_requested() const noexcept { return (word_.load(relaxed) & kCancelBit) != 0; }

  /// Forgets everything but the epoch: the memory gets a new waiter (a recycled fiber), and late
  /// tickets of the old one must still fail.
  void reset() noexcept { word_.store((word_.load(relaxed) & kEpochMask) + kEpochOne, relaxed); }

 private:
  static constexpr std::uint64_t kStateMask = 0xffff;
  static constexpr std::uint64_t kWaiting = 0xff00;  // no branch of a select has that number
  static constexpr std::uint64_t kHeldBit = 0x80;    // of a waiting state
  static constexpr std::uint64_t kKindMask = 0x7f;
  static constexpr std::uint64_t kCancellableBit = 1u << 16;
  static constexpr std::uint64_t kCancelBit = 1u << 17;
  static constexpr std::uint64_t kEpochOne = 1u << 18;
  static constexpr std::uint64_t kEpochMask = ~(kEpochOne - 1);

  static constexpr bool held(std::uint64_t word) noexcept {
    return (word & kStateMask) >= (kWaiting | kHeldBit);
  }

  /// What the word is once nobody holds the wait; `word` itself if nobody does.
  [[gnu::cold, gnu::noinline]] std::uint64_t wait_until_let_go(std::uint64_t word) const noexcept {
    for (SpinBackoff backoff; held(word); word = word_.load(acquire)) backoff.pause();
    return word;
  }

  Atomic<std::uint64_t> word_{0};
};

}  // namespace weft
