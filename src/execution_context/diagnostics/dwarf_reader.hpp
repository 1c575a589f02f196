// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weft {

/// Reads the numbers of .eh_frame one after the other. At the end of its bytes all are 0 and failed() is
/// true.
class DwarfReader {
 public:
  explicit DwarfReader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  bool done() const noexcept { return bytes_.empty(); }
  bool failed() const noexcept { return failed_; }
  std::span<const std::byte> rest() const noexcept { return bytes_; }

  template <class T>
  T fixed() noexcept {
    T value{};
    const std::span<const std::byte> from = take(sizeof(T));
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::uint8_t byte() noexcept { return fixed<std::uint8_t>(); }

  std::uint64_t unsigned_leb() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t part = byte();
      if (shift < 64) value |= std::uint64_t{part & 0x7fu} << shift;
      if ((part & 0x80) == 0) return value;
    }
  }
  std::int64_t signed_leb() noexcept {
    std::uint64_t value = 0;
    unsigned shift = 0;
    std::uint8_t part = 0;
    do {
      part = byte();
      if (shift < 64) value |= std::uint64_t{part & 0x7fu} << shift;
      shift += 7;
    } while ((part & 0x80) != 0);
    if (shift < 64 && (part & 0x40) != 0) value |= ~std::uint64_t{0} << shift;
    return static_cast<std::int64_t>(value);
  }

  std::span<const std::byte> take(std::uint64_t size) noexcept {
    if (size > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::span<const std::byte> taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  /// A block that begins with its size.
  std::span<const std::byte> block() noexcept { return take(unsigned_leb()); }

 private:
  std::span<const std::byte> bytes_;
  bool failed_ = false;
};

}  // namespace weft
