// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft::sys {

/// As writev(): how many bytes, but a pipe that nobody reads from is EPIPE only, and never a SIGPIPE. The
/// kernel does that by itself from Linux 6.18 on (RWF_NOSIGNAL); before, the signal is held back and taken
/// away: three more system calls.
Result<std::size_t> write_no_signal(int fd, std::span<const iovec> buffers) noexcept;

/// Tests: as on a kernel that does not know the flag.
void pretend_no_signal_flag_unknown(bool on) noexcept;

}  // namespace weft::sys
