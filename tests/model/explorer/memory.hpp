// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of one execution: for each atomic the history of its stores, and for each thread which of them
// it may still read. C++20's rules, but for two weakenings that it does not explore: modification order is
// the order in which the stores were executed, and no load reads from a store that is executed later
// (docs/design/model-checking.md).

#include "model/explorer/operation.hpp"
#include "model/explorer/view.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::model {

/// What one thread knows.
struct Knowledge {
  View current;     ///< what happened before its next operation
  View acquirable;  ///< and what its relaxed loads would have brought, had a fence followed them
  View fenced;      ///< what it knew at its last fence: its relaxed stores hand that on

  void join(const View& view) noexcept {
    current.join(view);
    acquirable.join(view);
  }
};

struct Store {
  std::uint64_t value = 0;
  int event = kNoEvent;  ///< the step that made it; none for the initial value
  View message;          ///< what an acquiring reader gets to know
};

/// An address that operations are made on: an atomic or a lock.
struct Location {
  std::byte* address = nullptr;
  unsigned size = 0;
  bool ended = false;  ///< the object's life is over
  std::vector<Store> stores;

  int holder = -1;                   ///< of a lock
  View released;                     ///< what its last holder knew
  std::vector<ThreadIndex> waiters;  ///< who sleeps on the futex, oldest first
};

class Memory {
 public:
  void reset() noexcept;

  /// The location at an address, kNoLocation if it is not known.
  LocationIndex find(const void* address) const noexcept;
  /// The same, made known with what memory holds as its initial value. kNoLocation: there are too many.
  LocationIndex find_or_add(void* address, unsigned size);
  Location& at(LocationIndex location) noexcept { return locations_[location]; }
  const Location& at(LocationIndex location) const noexcept { return locations_[location]; }
  /// Another object begins its life at the address.
  void begin_life(void* address) noexcept;

  /// The stores that a load may read: [oldest, newest].
  std::uint16_t oldest_readable(const Knowledge&, LocationIndex, std::memory_order) const noexcept;
  std::uint16_t newest(LocationIndex location) const noexcept {
    return static_cast<std::uint16_t>(locations_[location].stores.size() - 1);
  }

  /// Reads the store `index`.
  void read(Knowledge&, LocationIndex, std::uint16_t index, std::memory_order) noexcept;
  /// Makes a store; one half of a read-modify-write if `continues`: then it hands on what the store before it
  /// did, too.
  void write(Knowledge&, LocationIndex, std::uint64_t value, std::memory_order, int event, bool continues);
  /// A seq_cst fence.
  void fence(Knowledge&) noexcept;

  /// Names what is in [begin, begin + size).
  void name(const void* begin, std::size_t size, const char* name);
  std::string name_of(LocationIndex) const;

 private:
  struct Name {
    const std::byte* begin;
    std::size_t size;
    const char* name;
  };
  static constexpr std::size_t kBuckets = 512;
  static std::size_t bucket_of(const void* address) noexcept {
    return (reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15u) >> 55;
  }

  std::vector<Location> locations_;  // grows only: the vectors in it are used again
  std::size_t count_ = 0;
  std::array<LocationIndex, kBuckets> buckets_{};
  Seen sc_;  // what the seq_cst operations so far have made known to the next ones
  std::vector<Name> names_;
};

}  // namespace weft::model
