// SPDX-License-Identifier: Apache-2.0
#pragma once

// Accepting, for listeners of every kind: dead connections are skipped, shortages waited out.

#include "event_loop/network.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/net/stream.hpp>
#include <weft/result.hpp>

#include <memory>
#include <utility>

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

/// The stream of a connection.
template <class S>
Result<S> stream_of(const Result<Accepted>& accepted) noexcept {
  if (!accepted) return accepted.error();
  return weft::detail::StreamAccess::make<S>(accepted->handle);
}
template <class S>
Result<std::unique_ptr<Stream>> any_stream_of(const Result<Accepted>& accepted) {
  Result<S> stream = stream_of<S>(accepted);
  if (!stream) return stream.error();
  return std::unique_ptr<Stream>(std::make_unique<S>(std::move(*stream)));
}

}  // namespace weft::net
