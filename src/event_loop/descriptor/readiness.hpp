// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel has said about a descriptor, in one word (L3, L5; docs/design/descriptor.md).
//
//   bit   0      read_ready    an edge for reading that no operation has found empty since
//   bit   1      write_ready   the same for writing
//   bit   2      unusual       PRI, RDHUP, HUP or ERR was reported: a short count proves nothing (L2)
//   bits  8..35  read_epoch    counts read edges
//   bits 36..63  write_epoch   counts write edges
//
// Thread safety: any thread. An operation loads the word, tries its syscall, and when that found the
// descriptor empty clears the ready bit with the word it loaded: an edge that came meanwhile has changed the
// epoch, the clearing fails, and the operation tries again. The epoch would have to wrap (2^28 edges)
// during one syscall to go wrong.

#include "base/atomic.hpp"

#include <cstdint>

namespace weft {

enum class Direction : std::uint8_t { kRead = 0, kWrite = 1 };

class Readiness {
 public:
  /// What one load saw.
  class Snapshot {
   public:
    bool ready(Direction direction) const noexcept { return (word_ >> static_cast<int>(direction) & 1) != 0; }
    bool unusual() const noexcept { return (word_ & kUnusual) != 0; }

   private:
    friend class Readiness;
    explicit Snapshot(std::uint64_t word) noexcept : word_(word) {}
    std::uint64_t word_;
  };

  /// A new descriptor counts as ready: the first operation tries its syscall (L2).
  void reset() noexcept { word_.store(kReadReady | kWriteReady, relaxed); }

  /// Acquire: pairs with the release in signal().
  Snapshot load() const noexcept { return Snapshot(word_.load(acquire)); }

  /// Records edges. Called under the descriptor's lock.
  void signal(bool read, bool write, bool unusual) noexcept {
    std::uint64_t word = word_.load(relaxed);
    while (!word_.compare_exchange_weak(word, signalled(word, read, write, unusual), release, relaxed)) {}
  }

  /// The operation that loaded `seen` found `direction` empty. False if an edge came since.
  [[nodiscard]] bool clear(Snapshot seen, Direction direction) noexcept {
    const std::uint64_t mask = direction == Direction::kRead ? kReadMask : kWriteMask;
    std::uint64_t word = word_.load(relaxed);
    do {
      if (((word ^ seen.word_) & mask) != 0) return false;
    } while (!word_.compare_exchange_weak(word, word & ~bit(direction), relaxed, relaxed));
    return true;
  }

 private:
  static constexpr std::uint64_t kReadReady = 1;
  static constexpr std::uint64_t kWriteReady = 2;
  static constexpr std::uint64_t kUnusual = 4;
  static constexpr std::uint64_t kReadEpochOne = 1u << 8;
  static constexpr std::uint64_t kWriteEpochOne = std::uint64_t{1} << 36;
  static constexpr std::uint64_t kWriteEpoch = ~(kWriteEpochOne - 1);
  static constexpr std::uint64_t kReadEpoch = ~kWriteEpoch & ~(std::uint64_t{kReadEpochOne} - 1);
  static constexpr std::uint64_t kReadMask = kReadEpoch | kReadReady;
  static constexpr std::uint64_t kWriteMask = kWriteEpoch | kWriteReady;

  static constexpr std::uint64_t bit(Direction direction) noexcept {
    return direction == Direction::kRead ? kReadReady : kWriteReady;
  }

  static std::uint64_t signalled(std::uint64_t word, bool read, bool write, bool unusual) noexcept {
    if (read) word = (word & ~kReadEpoch) | ((word + kReadEpochOne) & kReadEpoch) | kReadReady;
    if (write) word = (word + kWriteEpochOne) | kWriteReady;
    if (unusual) word |= kUnusual;
    return word;
  }

  Atomic<std::uint64_t> word_{0};
};

}  // namespace weft
