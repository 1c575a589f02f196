// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accepting, for listeners of every kind: dead connections are skipped, shortages waited out.

#include "event_loop/network.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

namespace weft::net {

/// What TcpListener::accept() promises. `call` is what the user called.
Result<Accepted> accept_through_shortages(DescriptorHandle listener, Deadline deadline, const char* call);

/// What TcpListener::try_accept() promises.
Result<Accepted> accept_queued(DescriptorHandle listener, const char* call);

/// A copy of the listener's socket, with a descriptor of its own.
Result<DescriptorHandle> duplicate_socket(DescriptorHandle listener, const char* call);

/// Whether accept() can take stream connections from `fd`: it listens, and its family is one of two.
Result<void> check_listening(int fd, int family, int other_family) noexcept;

/// A descriptor for a socket that listens; `fd` stays the caller's if this fails.
Result<DescriptorHandle> adopt_listening(int fd) noexcept;

}  // namespace weft::net
