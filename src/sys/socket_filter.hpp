// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the kernel drops before a socket sees it. Any thread; none suspends.

#include <weft/result.hpp>

namespace weft::sys {

/// A listening TCP socket begins no new connection: a SYN is dropped without an answer, so that the client
/// repeats it (after 1 s, for the first time). Connections that have begun are still made and queued. Holds
/// for the socket, whichever processes share it, and for good. Needs no privilege (SO_ATTACH_FILTER).
Result<void> drop_new_connections(int fd) noexcept;

}  // namespace weft::sys
