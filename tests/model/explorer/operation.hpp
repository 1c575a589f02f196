// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/explorer/hooks.hpp"
#include "model/explorer/view.hpp"

#include <array>
#include <cstdint>

namespace weft::model {

enum class Action : std::uint8_t {
  kLoad,
  kStore,
  kModify,
  kCompareExchange,
  kFence,
  kSpin,
  kLock,
  kTryLock,
  kUnlock,
  kFutexWait,
  kFutexResume,  ///< goes on after a futex wait: woken, or timed out
  kFutexWake,
  kSuspend,  ///< waits for one kEnqueue
  kEnqueue,
  kEnd,   ///< of an atomic's life
  kJoin,  ///< the body waits for the threads it started
};

/// What two operations must have in common to matter to each other. Each location has several facets, so that
/// operations which touch different ones count as independent.
enum class Facet : std::uint8_t {
  kValue,
  kScOrder,  ///< where the location stands in the single order of seq_cst operations
  kWaiters,  ///< who sleeps there
};
inline constexpr std::size_t kFacets = 3;
inline constexpr std::size_t kScFences = kLocationsMax * kFacets;
inline constexpr std::size_t kObjects = kScFences + 1;

struct Access {
  std::uint16_t object;
  bool writes;
};

/// What an operation reads and writes. Two operations of different threads are independent, may be exchanged
/// without a difference, unless one writes what the other one accesses.
class Footprint {
 public:
  static constexpr std::size_t kSizeMax = 8;

  void add(std::size_t object, bool writes) noexcept {
    if (size_ < accesses_.size()) accesses_[size_++] = {static_cast<std::uint16_t>(object), writes};
  }
  void add(LocationIndex location, Facet facet, bool writes) noexcept {
    add(location * kFacets + static_cast<std::size_t>(facet), writes);
  }
  const Access* begin() const noexcept { return accesses_.data(); }
  const Access* end() const noexcept { return accesses_.data() + size_; }

  bool conflicts_with(const Footprint& other) const noexcept {
    for (const Access& mine : *this) {
      for (const Access& theirs : other) {
        if (mine.object == theirs.object && (mine.writes || theirs.writes)) return true;
      }
    }
    return false;
  }

 private:
  std::array<Access, kSizeMax> accesses_{};
  std::uint8_t size_ = 0;
};

inline constexpr int kNoEvent = -1;
inline constexpr LocationIndex kNoLocation = 0xffff;

/// One step of a thread: announced first, then, when it is its turn, done.
struct Operation {
  Action action = Action::kLoad;
  std::memory_order order = std::memory_order_relaxed;
  LocationIndex location = kNoLocation;
  bool conditional = false;  ///< a wait for what another's step enables, not to be tried before that step
  Footprint footprint;
  Where where;

  // -- known when it is done --------------------------------------------------------------------------------
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  std::uint16_t store = 0;           ///< the index of the store that was read, or made
  std::uint16_t newest = 0;          ///< the newest store then
  bool succeeded = true;             ///< compare-exchange, try_lock; futex resume: was woken
  int source = kNoEvent;             ///< the step whose value was read
  bool reads_any_candidate = false;  ///< it ran over all stores it might read: only `source` came before it
};

inline bool is_sc(std::memory_order order) noexcept { return order == std::memory_order_seq_cst; }
inline bool acquires(std::memory_order order) noexcept {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel || is_sc(order);
}
inline bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || is_sc(order);
}

}  // namespace weft::model
