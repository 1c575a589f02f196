// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::sys {

/// Moves up to `size` bytes between two files, of which one is a pipe, without waiting: how many, 0 at the
/// end of the file. EINVAL: they cannot. Never a SIGPIPE (three more system calls; splice(2) has no flag for
/// it).
Result<std::size_t> splice(int from, int to, std::size_t size) noexcept;

/// sendfile(2) from `offset` of a file on, to a socket or pipe: how many bytes, 0 at the end of the file.
/// EAGAIN: `to` has no room. Waits for the disk if the bytes are not in memory. Raises no SIGPIPE.
Result<std::size_t> send_file(int from, int to, std::uint64_t offset, std::size_t size) noexcept;

}  // namespace weft::sys
