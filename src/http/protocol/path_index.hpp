// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/short_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::protocol {

/// From a path's exact bytes to what stands for it: open addressing, at most half full.
/// Thread safety: find() may run in many threads once no add() does.
class PathIndex {
 public:
  using Value = const void*;

  /// Adds a path, unless it is there already. `value` is not null.
  void add(std::string_view path, Value value);

  /// Null if the path was not added. In one piece with the routes' look-up, where its call costs a third
  /// more.
  [[gnu::always_inline]] Value find(std::string_view path) const noexcept {
    if (slots_.empty()) return nullptr;
    const ShortKey key = key_of(path);
    for (std::size_t i = key.hash & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.value == nullptr || slot.holds(key.tail, path)) return slot.value;
    }
  }

 private:
  struct Slot {
    std::string path;
    Value value = nullptr;   // null: the slot is free
    std::uint64_t tail = 0;  // of the path

    bool holds(std::uint64_t wanted, std::string_view text) const noexcept {
      if (tail != wanted || path.size() != text.size()) return false;
      return text.size() <= 8 || equal_short(path.data(), text.data(), text.size());
    }
  };

  void put(Slot&& slot) noexcept;
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t mask_ = 0;     // slots - 1
  std::size_t size_ = 0;
};

}  // namespace weft::http::protocol
