// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace weft::http::protocol {

/// A buffer of somebody else's, which a larger one from the heap replaces while a rare message needs it.
/// Thread safety: none.
class GrowingBuffer {
 public:
  explicit GrowingBuffer(std::span<char> own) noexcept
      : own_(own), first_(own.data()), last_(own.data() + own.size()) {}

  char* first() const noexcept { return first_; }
  char* last() const noexcept { return last_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(last_ - first_); }
  std::size_t own_size() const noexcept { return own_.size(); }
  bool grown() const noexcept { return heap_ != nullptr; }

  /// Moves `kept`, which is in the buffer, to the front of a buffer of `size` bytes, no fewer than before.
  /// False if there is no memory: all is as it was.
  [[gnu::cold]] bool grow(std::size_t size, std::span<const char> kept) noexcept {
    std::unique_ptr<char[]> larger(new (std::nothrow) char[size]);
    if (larger == nullptr) return false;
    std::memcpy(larger.get(), kept.data(), kept.size());
    heap_ = std::move(larger);
    first_ = heap_.get();
    last_ = first_ + size;
    return true;
  }

  /// Moves `kept`, which is in the buffer, to the front of the own one.
  /// REQUIRES: it fits, and has grown.
  [[gnu::cold]] void shrink(std::span<const char> kept) noexcept {
    if (!kept.empty()) std::memcpy(own_.data(), kept.data(), kept.size());
    first_ = own_.data();
    last_ = first_ + own_.size();
    heap_.reset();
  }

 private:
  std::span<char> own_;
  char* first_;
  char* last_;
  std::unique_ptr<char[]> heap_;
};

}  // namespace weft::http::protocol
