// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/line_memory.hpp"

namespace weft::http::protocol {
namespace {

// From one buffer to another: the old one may be gone.
const char* moved(const char* at, std::uintptr_t distance) noexcept {
  return reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(at) + distance);
}

}  // namespace

// The same lines stand somewhere else.
void LineMemory::move(const char* lines, Header* table) noexcept {
  const std::uintptr_t distance =
      reinterpret_cast<std::uintptr_t>(lines) - reinterpret_cast<std::uintptr_t>(lines_);
  for (Header* header = table; header != table + count_; ++header) {
    header->name_data = moved(header->name_data, distance);
    header->value_data = moved(header->value_data, distance);
  }
  if (facts_.host_count != 0) facts_.host = {moved(facts_.host.data(), distance), facts_.host.size()};
  lines_ = lines;
}

}  // namespace weft::http::protocol
