// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is inside a descriptor, whether it may be entered (L9), and who writes; docs/design/descriptor.md.
//
//   bits  0..27  users       operations in flight, the mover and the closer among them
//   bit   28     writing     one of the users has the turn to write
//   bit   29     awaited     others wait for the turn: it is passed on, not given up
//   bit   30     vacant      the record stands for no file: nobody may enter
//   bit   31     closing     close() was called: nobody new may enter
//   bits 32..63  generation  which file this record stands for
//
// Invariants: U1 a user that entered with the right generation keeps the fd number from being given back.
// U2 exactly one call of leave() returns true for each close(): that caller gives the number back and may
// then open() the record again. U3 a stale handle may count itself in for a moment, and then leaves again; if
// it thereby became the last user of a closing descriptor, U2's duty is its. U4 closing and vacant are never
// set together. U5 awaited is set exactly while the descriptor's list of writers is not empty, and then
// writing is set too: both change with awaited under the descriptor's lock. Awaited alone says that the turn
// was lost in a fork().

#include "base/atomic.hpp"
#include "base/panic.hpp"

#include <cstdint>

namespace weft {

class UsageWord {
 public:
  std::uint32_t generation() const noexcept { return generation_of(word_.load(relaxed)); }

  /// Enters as a user. False, and nothing is counted by the caller, if the file was closed; then
  /// `last` says that the caller must retire the descriptor (U3).
  [[nodiscard]] bool enter(std::uint32_t generation, bool& last) noexcept {
    // Acquire: pairs with the release in open(): the fd and its kind are seen.
    const std::uint64_t before = word_.fetch_add(1, acquire);
    if (generation_of(before) == generation && (before & (kClosing | kVacant)) == 0) [[likely]]
      return true;
    last = leave();
    return false;
  }

  /// Leaves. True: the caller is the last user of a closing descriptor (U2).
  [[nodiscard]] bool leave() noexcept {
    // Acq_rel: the last one to leave sees what all others did to the file.
    std::uint64_t word = word_.fetch_sub(1, acq_rel) - 1;
    if ((word & kClosing) == 0) [[likely]]
      return false;
    return retires(word);
  }

  // -- the turn to write ------------------------------------------------------------------------------------
  enum class Entry { kTurn, kBusy, kClosed };
  /// Enters as a user that has the turn to write, all in one step. kBusy: somebody has it, or waits for it.
  [[nodiscard]] Entry enter_to_write(std::uint32_t generation) noexcept {
    std::uint64_t word = word_.load(relaxed);  // a guess, the CAS decides
    // Acquire: pairs with the release in open(), and with that of the one who had the turn before.
    while (word >> kFlagsShift == std::uint64_t{generation} << (32 - kFlagsShift)) {
      if (word_.compare_exchange_weak(word, word + 1 + kWriting, acquire, relaxed)) [[likely]]
        return Entry::kTurn;
    }
    const bool open = generation_of(word) == generation && (word & (kClosing | kVacant)) == 0;
    return open ? Entry::kBusy : Entry::kClosed;
  }

  enum class Exit { kDone, kLast, kAwaited };
  /// Leaves, and gives up the turn. kLast: as leave(). kAwaited: nothing was done, pass the turn on first.
  /// REQUIRES: the caller has the turn.
  [[nodiscard]] Exit leave_writing() noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if ((word & kAwaited) != 0) [[unlikely]]
        return Exit::kAwaited;
    } while (!word_.compare_exchange_weak(word, word - 1 - kWriting, acq_rel, relaxed));
    if ((word & kClosing) == 0) [[likely]]
      return Exit::kDone;
    return retires(word - 1 - kWriting) ? Exit::kLast : Exit::kDone;
  }

  /// Gives up the turn, and stays a user. False: others wait for it, pass it on. REQUIRES: as above.
  [[nodiscard]] bool give_up_turn() noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if ((word & kAwaited) != 0) return false;
    } while (!word_.compare_exchange_weak(word, word - kWriting, release, relaxed));
    return true;
  }

  // With the descriptor's lock.
  /// A user takes the turn: true; or it is announced that a writer waits. REQUIRES: U5's list is about to be
  /// what this says.
  [[nodiscard]] bool take_turn_or_announce_locked() noexcept {
    std::uint64_t word = word_.load(relaxed);
    std::uint64_t after = 0;
    do {
      after = (word & kWriting) != 0 ? word | kAwaited : word + kWriting;
    } while (!word_.compare_exchange_weak(word, after, acquire, relaxed));
    return (word & kWriting) == 0;
  }
  /// The list of writers has become empty.
  void nobody_awaits_turn_locked() noexcept { word_.fetch_and(~kAwaited, relaxed); }
  /// The same, and nobody has the turn any more.
  void end_turns_locked() noexcept { word_.fetch_and(~(kAwaited | kWriting), release); }
  /// No write may be put off: the file is being closed, or somebody waits for the turn. Relaxed: a writer
  /// announces itself under the lock.
  bool closing_or_awaited_locked() const noexcept {
    return (word_.load(relaxed) & (kClosing | kAwaited)) != 0;
  }

  /// Forbids new users. False if somebody closed before. REQUIRES: the caller is a user.
  [[nodiscard]] bool close() noexcept { return (word_.fetch_or(kClosing, acq_rel) & kClosing) == 0; }
  bool closing() const noexcept { return (word_.load(relaxed) & kClosing) != 0; }

  // -- in a child of fork() ---------------------------------------------------------------------------------
  /// The users there are were fibers of the parent: none of them leaves here. Before any fiber of the child
  /// runs.
  void forget_parents_users() noexcept {
    const std::uint64_t word = word_.load(relaxed);
    const std::uint64_t lost = (word & (kWriting | kAwaited)) != 0 ? kAwaited : 0;
    word_.store((word & ~(users_of(~std::uint64_t{0}) | kWriting | kAwaited)) | lost, relaxed);
  }
  /// The parent's had the turn to write when it forked: in the child nobody passes it on. U5's one exception.
  bool turn_is_lost() const noexcept { return (word_.load(relaxed) & (kWriting | kAwaited)) == kAwaited; }

  /// The record stands for a file from now on. REQUIRES: vacant. leave() has counted the generation up.
  void open() noexcept { word_.fetch_and(~kVacant, release); }

 private:
  static constexpr int kFlagsShift = 28;
  static constexpr std::uint64_t kWriting = std::uint64_t{1} << kFlagsShift;
  static constexpr std::uint64_t kAwaited = std::uint64_t{1} << 29;
  static constexpr std::uint64_t kVacant = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kClosing = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kGenerationOne = std::uint64_t{1} << 32;

  static std::uint32_t generation_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32);
  }
  static std::uint64_t users_of(std::uint64_t word) noexcept { return word & (kWriting - 1); }

  /// The caller has left, which made the closing record's word this one. Only one succeeds, whoever counts in
  /// and out meanwhile (U2); whoever makes it fail leaves after us.
  [[nodiscard]] bool retires(std::uint64_t word) noexcept {
    if (users_of(word) != 0) return false;
    const std::uint64_t vacant = (word & ~kAwaited) - kClosing + kVacant + kGenerationOne;
    return word_.compare_exchange_strong(word, vacant, acq_rel, relaxed);
  }

  Atomic<std::uint64_t> word_{kVacant};
};

}  // namespace weft
