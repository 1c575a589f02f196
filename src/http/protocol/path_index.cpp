// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/path_index.hpp"

#include <algorithm>
#include <utility>

namespace weft::http::protocol {

void PathIndex::add(std::string_view path, Value value) {
  if (find(path) != nullptr) return;
  if ((size_ + 1) * 2 > slots_.size()) grow();
  put({std::string(path), value, key_of(path).tail});
  ++size_;
}

// Pre: a slot is free, and the path is in none.
void PathIndex::put(Slot&& slot) noexcept {
  std::size_t i = key_of(slot.path).hash & mask_;
  while (slots_[i].value != nullptr) i = (i + 1) & mask_;
  slots_[i] = std::move(slot);
}

void PathIndex::grow() {
  std::vector<Slot> old(std::max<std::size_t>(slots_.size() * 2, 8));
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (Slot& slot : old) {
    if (slot.value != nullptr) put(std::move(slot));
  }
}

}  // namespace weft::http::protocol
