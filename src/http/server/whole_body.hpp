// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weft::http::server {

/// Collects a body of a size that its sender chooses.
///
/// The memory grows with the bytes that have arrived, never with a length that is only announced: one step,
/// and from then on it at most doubles. It is never larger than the limit. Not thread-safe.
class WholeBody {
 public:
  /// What an announced body costs before its first byte.
  static constexpr std::size_t kStep = 16 * 1024;

  /// Takes `size_max` bytes at most.
  explicit WholeBody(std::uint64_t size_max) noexcept : size_max_(size_max) {}

  bool full() const noexcept { return size_ == size_max_; }
  /// Where the next bytes go; not empty. REQUIRES: not full(). May throw std::bad_alloc.
  std::span<std::byte> room();
  /// `size` bytes of the room have arrived.
  void received(std::size_t size) noexcept;
  /// The bytes that have arrived, once.
  std::string take();

 private:
  const std::uint64_t size_max_;
  std::size_t size_ = 0;
  std::string text_;  // longer than size_: its end is the room
};

}  // namespace weft::http::server
