// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/iovec.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace weft::fs {

/// The buffers of a vectored call, some of them at a time.
template <class Byte>
class BufferList {
 public:
  explicit BufferList(std::span<const std::span<Byte>> buffers) noexcept : left_(buffers) {}

  /// The next ones that are not empty, until the next call; none: that is all.
  std::span<iovec> next() noexcept {
    std::size_t count = 0;
    for (; !left_.empty() && count < array_.size(); left_ = left_.subspan(1)) {
      if (!left_.front().empty()) array_[count++] = sys::to_iovec(left_.front());
    }
    return std::span(array_).first(count);
  }

 private:
  std::span<const std::span<Byte>> left_;
  std::array<iovec, 16> array_;
};

}  // namespace weft::fs
