// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <poll.h>

namespace weft::sys {

/// Which of `events` (POLLIN and its like) hold for `fd` now, with POLLERR and POLLHUP; 0: none. Does not
/// wait.
Result<int> poll_events(int fd, int events) noexcept;
/// Whether one of `events` (POLLIN and its like) holds for `fd` now, or an error or a hang-up does. Does not
/// wait.
Result<bool> poll_now(int fd, int events) noexcept;
/// The same, and waits for it so long, on the calling thread. False also if a signal has ended the wait.
Result<bool> poll_for(int fd, int events, int timeout_ms) noexcept;

}  // namespace weft::sys
