// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the streams and pipe ends do with the descriptor that they own: the whole-buffer calls and those with
// several buffers, once for all of them. `call` is what the user called, for the BUG that names it on a plain
// thread.

#include "event_loop/descriptor/descriptor_use.hpp"

#include <weft/deadline.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>

namespace weft::io {

/// Into the first 16 buffers that are not empty.
Result<std::size_t> read_vectored(DescriptorHandle handle, std::span<const std::span<std::byte>> buffers,
                                  Deadline deadline, const char* call);

/// As one piece, in the turn to write.
Progress write_whole(DescriptorHandle handle, std::span<const std::byte> data, Deadline deadline,
                     const char* call);
Progress write_whole(DescriptorHandle handle, std::span<const std::span<const std::byte>> buffers,
                     Deadline deadline, const char* call);

/// `call(fd)`, of a file of the kernel's that is open.
template <class Call>
auto with_fd(const DescriptorHandle& handle, Call&& call) -> decltype(call(0)) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (descriptor->fd < 0) return Errc::unsupported;  // simulated
  return call(descriptor->fd);
}

/// The number, or -1.
inline int number_of(const DescriptorHandle& handle) noexcept {
  return with_fd(handle, [](int fd) -> Result<int> { return fd; }).value_or(-1);
}

/// What a move assignment does.
void transfer(DescriptorHandle& own, DescriptorHandle& other) noexcept;
/// What a destructor does.
void close_if_open(DescriptorHandle handle) noexcept;
/// What close() does.
Result<void> close_once(DescriptorHandle handle);

}  // namespace weft::io
