// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is inside a descriptor, and whether it may be entered (L9; docs/design/descriptor.md).
//
//   bits  0..29  users       operations in flight, the mover and the closer among them
//   bit   30     vacant      the record stands for no file: nobody may enter
//   bit   31     closing     close() was called: nobody new may enter
//   bits 32..63  generation  which file this record stands for
//
// Invariants: U1 a user that entered with the right generation keeps the fd number from being given back.
// U2 exactly one call of leave() returns true for each close(): that caller gives the number back and may
// then open() the record again. U3 a stale handle may count itself in for a moment, and then leaves again; if
// it thereby became the last user of a closing descriptor, U2's duty is its. U4 closing and vacant are never
// set together.

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
    if (users_of(word) != 0) return false;
    // Only one succeeds, whoever counts in and out meanwhile (U2); whoever makes it fail leaves after us.
    const std::uint64_t vacant = word - kClosing + kVacant + kGenerationOne;
    return word_.compare_exchange_strong(word, vacant, acq_rel, relaxed);
  }

  /// Forbids new users. False if somebody closed before. REQUIRES: the caller is a user.
  [[nodiscard]] bool close() noexcept { return (word_.fetch_or(kClosing, acq_rel) & kClosing) == 0; }
  bool closing() const noexcept { return (word_.load(relaxed) & kClosing) != 0; }

  /// The record stands for a file from now on. REQUIRES: vacant. leave() has counted the generation up.
  void open() noexcept { word_.fetch_and(~kVacant, release); }

 private:
  static constexpr std::uint64_t kVacant = std::uint64_t{1} << 30;
  static constexpr std::uint64_t kClosing = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kGenerationOne = std::uint64_t{1} << 32;

  static std::uint32_t generation_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32);
  }
  static std::uint64_t users_of(std::uint64_t word) noexcept { return word & (kVacant - 1); }

  Atomic<std::uint64_t> word_{kVacant};
};

}  // namespace weft
