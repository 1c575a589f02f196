// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of one write that was put off (docs/design/write-batch.md).
//
// Thread safety: the rest belongs to who `word` says: a free slot to the thread of its batch, a queued one to
// nobody, one that is being sent to who sends it, a held one to the fiber whose write it is.

#include "base/cache_line.hpp"
#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/write_batch/write_word.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weft {

struct alignas(kCacheLine) WriteSlot {
  /// The first lines of a batch's slots fall into different sets of the first-level cache.
  static constexpr std::size_t kSizeMax = 2 * 1024 + kCacheLine - 32;

  WriteWord word;
  Descriptor* descriptor;  ///< its fiber is a user until the write is over
  std::uint32_t size;
  std::uint32_t sent;  ///< of a held one: how much of it the kernel has
  int error;           ///< of a held one: why no more, an errno; 0: only not all
  std::byte bytes[kSizeMax];

  std::span<const std::byte> data() const noexcept { return std::span(bytes).first(size); }
  void fill(Descriptor& file, std::span<const std::byte> data) noexcept {
    descriptor = &file;
    size = static_cast<std::uint32_t>(data.size());
    sent = 0;
    error = 0;
    std::memcpy(bytes, data.data(), data.size());
  }
};
static_assert(sizeof(WriteSlot) == 2 * 1024 + kCacheLine);

}  // namespace weft
