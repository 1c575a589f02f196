// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace weft {

/// Bytes on their way: first in, first out. Grows to what is in it; the limit is its user's. Not thread-safe.
class SimBuffer {
 public:
  /// Appends the first `size` bytes of `data`. REQUIRES: there are as many.
  void append(std::span<const iovec> data, std::size_t size) {
    for (const iovec& piece : data) {
      const std::size_t count = piece.iov_len < size ? piece.iov_len : size;
      const auto* const bytes = static_cast<const std::byte*>(piece.iov_base);
      bytes_.insert(bytes_.end(), bytes, bytes + count);
      size -= count;
    }
  }

  /// Moves the first `size` bytes to `buffers`. REQUIRES: there are as many, and as much room.
  void take(std::span<const iovec> buffers, std::size_t size) noexcept {
    for (const iovec& piece : buffers) {
      const std::size_t count = piece.iov_len < size ? piece.iov_len : size;
      if (count != 0) std::memcpy(piece.iov_base, bytes_.data() + first_, count);
      first_ += count;
      size -= count;
    }
    forget_taken();
  }

 private:
  // Each byte is moved at most once for each time it is taken: amortized, as in a growing vector.
  void forget_taken() noexcept {
    if (first_ == bytes_.size()) {
      bytes_.clear();
      first_ = 0;
    } else if (first_ > bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

  std::vector<std::byte> bytes_;
  std::size_t first_ = 0;
};

}  // namespace weft
