// SPDX-License-Identifier: Apache-2.0
#include <weft/io/writer.hpp>

#include "io/own_type_check.hpp"

namespace weft::io {

Progress Writer::write_all_until(ConstBuffer whole, Deadline deadline) {
  const std::span<const std::byte> data = whole;
  std::size_t moved = 0;
  while (moved < data.size()) {
    const Result<std::size_t> step = write_some_until(ConstBuffer(data.subspan(moved)), deadline);
    if (!step) return {moved, step.error()};
    moved += checked_written(*step, data.size() - moved);
    if (moved < data.size() && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {moved, {}};
}

Progress Writer::write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) {
  std::size_t moved = 0;
  for (const std::span<const std::byte> buffer : buffers) {
    const Progress step = write_all_until(ConstBuffer(buffer), deadline);
    moved += step.bytes();
    if (!step) return {moved, step.error()};
  }
  return {moved, {}};
}

}  // namespace weft::io
