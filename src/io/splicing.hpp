// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copying inside of the kernel, from a socket or pipe to another one. Two sockets need a pipe between them,
// which is made when there is something to read, and is empty between two pieces: so "not now" of reading is
// never the pipe's.
//
// Thread safety: one fiber's.

#include "event_loop/descriptor/descriptor.hpp"
#include "sys/pipe.hpp"

#include <weft/deadline.hpp>
#include <weft/io/progress.hpp>

#include <cstdint>

namespace weft::io {

/// How much copy() moves at once: what a pipe of the default size holds.
inline constexpr std::size_t kCopyPieceMax = std::size_t{64} * 1024;

/// The calling fiber can move bytes to or from it inside of the kernel: a socket or pipe of the kernel's,
/// open.
bool can_splice(DescriptorHandle handle) noexcept;

class Splicing {
 public:
  Splicing(DescriptorHandle from, DescriptorHandle to) noexcept : from_(from), to_(to) {}

  /// Both are sockets or pipes of the kernel's, and open.
  bool possible() const noexcept;
  /// Until the end of the file, or `size_max` bytes were written. REQUIRES: possible().
  Progress run(std::uint64_t size_max, Deadline deadline);

 private:
  Result<std::size_t> fill(std::size_t size, Deadline deadline);
  Result<std::size_t> splice_in(std::size_t size, Deadline deadline);
  Progress drain(std::size_t size, Deadline deadline);

  const DescriptorHandle from_;
  const DescriptorHandle to_;
  sys::Pipe pipe_;
};

}  // namespace weft::io
