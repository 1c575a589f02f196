// SPDX-License-Identifier: Apache-2.0
#include <weft/io/reader.hpp>

#include "io/own_type_check.hpp"

#include <algorithm>

namespace weft::io {

Result<std::size_t> Reader::read_some_until(std::span<const std::span<std::byte>> buffers,
                                            Deadline deadline) {
  const auto first =
      std::find_if(buffers.begin(), buffers.end(), [](auto buffer) { return !buffer.empty(); });
  if (first == buffers.end()) return std::size_t{0};
  return read_some_until(MutableBuffer(*first), deadline);
}

Result<std::size_t> Reader::read_some_until(BufferSource& source, Deadline deadline) {
  source.give_back();  // what an earlier read has left is not held while this one waits
  if (Result<void> ready = wait_readable(deadline); !ready) return ready.error();
  Result<std::size_t> moved = read_some_until(MutableBuffer(source.take()), deadline);
  if (!moved || *moved == 0) source.give_back();
  return moved;
}

Progress Reader::read_exact_until(MutableBuffer whole, Deadline deadline) {
  const std::span<std::byte> buffer = whole;
  std::size_t moved = 0;
  while (moved < buffer.size()) {
    const Result<std::size_t> step = read_some_until(MutableBuffer(buffer.subspan(moved)), deadline);
    if (!step) return {moved, step.error()};
    moved += checked_read(*step, buffer.size() - moved);
    if (moved < buffer.size() && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {moved, {}};
}

}  // namespace weft::io
