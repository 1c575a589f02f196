// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sockets: every one made here is non-blocking and close-on-exec, and no call raises SIGPIPE. EINTR is
// retried. A call that cannot go on now fails with EAGAIN (`would_block`). Any thread; none suspends.

#include "sys/fd.hpp"
#include "sys/raw_address.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft::sys {

Result<Fd> create_socket(int domain, int type, int protocol = 0) noexcept;
Result<void> bind(int fd, const RawAddress& address) noexcept;
Result<void> listen(int fd, int backlog) noexcept;

/// Takes a pending connection. `peer`, if not null, is filled on success.
Result<Fd> accept(int fd, RawAddress* peer = nullptr) noexcept;

/// Starts to connect. `true`: connected at once. `false`: in progress; when the socket has become writable,
/// `connect_result` says how it ended.
Result<bool> connect(int fd, const RawAddress& address) noexcept;
/// How a connect ended: takes the socket's pending error (SO_ERROR).
Result<void> connect_result(int fd) noexcept;

/// 0 is the end of the stream (or an empty datagram), as the kernel has it.
/// At most IOV_MAX (1024) buffers are used; more are left for the next call.
Result<std::size_t> recv_vectored(int fd, std::span<const iovec> buffers, int flags = 0) noexcept;
Result<std::size_t> send_vectored(int fd, std::span<const iovec> buffers, int flags = 0) noexcept;
/// The general forms, for datagrams and control messages.
Result<std::size_t> recvmsg(int fd, msghdr& message, int flags = 0) noexcept;
Result<std::size_t> sendmsg(int fd, const msghdr& message, int flags = 0) noexcept;
/// One datagram and its sender, of which `name_size` bytes fit and are told; and one to a receiver. Cheaper
/// than the general forms.
Result<std::size_t> recv_from(int fd, std::span<std::byte> buffer, int flags, sockaddr* name,
                              socklen_t& name_size) noexcept;
Result<std::size_t> send_to(int fd, std::span<const std::byte> data, const sockaddr* name,
                            socklen_t name_size) noexcept;
/// As many messages as there are, at most all: their number, at least 1. Fewer: the socket was empty then. An
/// error behind the first message is the next call's.
Result<std::size_t> recvmmsg(int fd, std::span<mmsghdr> messages, int flags = 0) noexcept;
/// Sends the first messages, at least one, and says how many. What stopped it at the next one is said when it
/// is the first.
Result<std::size_t> sendmmsg(int fd, std::span<mmsghdr> messages, int flags = 0) noexcept;

/// `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
Result<void> shutdown(int fd, int how) noexcept;
Result<RawAddress> local_address(int fd) noexcept;
Result<RawAddress> peer_address(int fd) noexcept;

struct SocketPair {
  Fd first;
  Fd second;
};
/// Two connected Unix sockets; `type` is SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
Result<SocketPair> create_socket_pair(int type) noexcept;

}  // namespace weft::sys
