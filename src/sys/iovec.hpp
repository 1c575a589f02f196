// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <sys/uio.h>

namespace weft::sys {

/// As many buffers as one call takes (the kernel's UIO_MAXIOV).
inline constexpr std::size_t kBuffersMax = 1024;

iovec to_iovec(std::span<std::byte> buffer) noexcept;
/// For calls that only read the buffer.
iovec to_iovec(std::span<const std::byte> data) noexcept;

/// The sum of the sizes.
std::size_t total_size(std::span<const iovec> buffers) noexcept;

/// What is left of `buffers` after `size` bytes of them were moved; changes the first buffer left. Empty
/// buffers at the front are dropped. REQUIRES: `size` is at most `total_size(buffers)`.
std::span<iovec> drop_front(std::span<iovec> buffers, std::size_t size) noexcept;

/// `buffers` cut to what one call takes; and, for an injected short count, to `size_max` bytes.
class ShortenedBuffers {
 public:
  ShortenedBuffers(std::span<const iovec> buffers, std::size_t size_max) noexcept;
  ShortenedBuffers(const ShortenedBuffers&) = delete;
  ShortenedBuffers& operator=(const ShortenedBuffers&) = delete;

  const iovec* data() const noexcept { return buffers_.data(); }
  int count() const noexcept { return static_cast<int>(buffers_.size()); }

 private:
  iovec first_{};  // the only buffer of a shortened call
  std::span<const iovec> buffers_;
};

}  // namespace weft::sys
