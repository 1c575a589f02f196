// SPDX-License-Identifier: Apache-2.0
#include "sys/iovec.hpp"

#include "base/panic.hpp"

#include <algorithm>

namespace weft::sys {

iovec to_iovec(std::span<std::byte> buffer) noexcept { return {buffer.data(), buffer.size()}; }

iovec to_iovec(std::span<const std::byte> data) noexcept {
  return {const_cast<std::byte*>(data.data()), data.size()};
}

std::size_t total_size(std::span<const iovec> buffers) noexcept {
  std::size_t sum = 0;
  for (const iovec& buffer : buffers) sum += buffer.iov_len;
  return sum;
}

std::span<iovec> drop_front(std::span<iovec> buffers, std::size_t size) noexcept {
  while (!buffers.empty() && buffers.front().iov_len <= size) {
    size -= buffers.front().iov_len;
    buffers = buffers.subspan(1);
  }
  if (size == 0) return buffers;
  WEFT_ASSERT(!buffers.empty(), "advanced past the end of the buffers", WEFT_VALUE(size));
  iovec& first = buffers.front();
  first.iov_base = static_cast<std::byte*>(first.iov_base) + size;
  first.iov_len -= size;
  return buffers;
}

ShortenedBuffers::ShortenedBuffers(std::span<const iovec> buffers, std::size_t size_max) noexcept
    : buffers_(buffers.first(std::min(buffers.size(), kBuffersMax))) {
  if (size_max == std::numeric_limits<std::size_t>::max()) [[likely]]
    return;
  while (!buffers_.empty() && buffers_.front().iov_len == 0) buffers_ = buffers_.subspan(1);
  if (buffers_.empty()) return;
  first_ = {buffers_.front().iov_base, std::min(buffers_.front().iov_len, size_max)};
  buffers_ = {&first_, 1};
}

}  // namespace weft::sys
