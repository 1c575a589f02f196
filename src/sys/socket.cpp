// SPDX-License-Identifier: Apache-2.0
#include "sys/socket.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/iovec.hpp"
#include "sys/socket_options.hpp"
#include "sys/syscall.hpp"

#include <algorithm>

namespace weft::sys {
namespace {

constexpr int kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

Result<Fd> fd_result(long raw) noexcept {
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return Fd(static_cast<int>(raw));
}

msghdr message_of(const ShortenedBuffers& buffers) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = static_cast<std::size_t>(buffers.count());
  return message;
}

}  // namespace

[[gnu::noinline]] Result<Fd> create_socket(int domain, int type, int protocol) noexcept {
  return fd_result(attempt(Call::socket, -1, [&](std::size_t) {
    return raw_answer(::socket(domain, type | kSocketFlags, protocol));
  }));
}

[[gnu::noinline]] Result<void> bind(int fd, const RawAddress& address) noexcept {
  return void_result(attempt(
      Call::bind, fd, [&](std::size_t) { return raw_answer(::bind(fd, address.data(), address.size())); }));
}

[[gnu::noinline]] Result<void> listen(int fd, int backlog) noexcept {
  return void_result(
      attempt(Call::listen, fd, [&](std::size_t) { return raw_answer(::listen(fd, backlog)); }));
}

[[gnu::noinline]] Result<Fd> accept(int fd, RawAddress* peer) noexcept {
  sockaddr* const name = peer != nullptr ? peer->data() : nullptr;
  return fd_result(retry(Call::accept, fd, [&](std::size_t) {
    socklen_t* const size = peer != nullptr ? peer->size_for_fill() : nullptr;
    return raw_answer(::accept4(fd, name, size, kSocketFlags));
  }));
}

[[gnu::noinline]] Result<bool> connect(int fd, const RawAddress& address) noexcept {
  const long raw = attempt(Call::connect, fd, [&](std::size_t) {
    return raw_answer(::connect(fd, address.data(), address.size()));
  });
  if (raw == 0) return true;
  // EINTR: the attempt goes on by itself (POSIX), as with EINPROGRESS; asking again would give EALREADY.
  if (raw == -EINPROGRESS || raw == -EINTR) return false;
  return error_of(static_cast<int>(-raw));
}

Result<void> connect_result(int fd) noexcept {
  const Result<int> pending = get_option(fd, SOL_SOCKET, SO_ERROR);
  if (!pending) return pending.error();
  if (*pending != 0) return error_of(*pending);
  return {};
}

[[gnu::noinline]] Result<std::size_t> recv_vectored(int fd, std::span<const iovec> buffers,
                                                    int flags) noexcept {
  return size_result(retry(Call::recvmsg, fd, [&](std::size_t size_max) {
    const ShortenedBuffers shortened(buffers, size_max);
    msghdr message = message_of(shortened);
    return raw_recvmsg(fd, &message, flags);
  }));
}

[[gnu::noinline]] Result<std::size_t> send_vectored(int fd, std::span<const iovec> buffers,
                                                    int flags) noexcept {
  return size_result(retry(Call::sendmsg, fd, [&](std::size_t size_max) {
    const ShortenedBuffers shortened(buffers, size_max);
    const msghdr message = message_of(shortened);
    return raw_sendmsg(fd, &message, flags | MSG_NOSIGNAL);
  }));
}

[[gnu::noinline]] Result<std::size_t> recvmsg(int fd, msghdr& message, int flags) noexcept {
  return size_result(retry(Call::recvmsg, fd, [&](std::size_t) { return raw_recvmsg(fd, &message, flags); }));
}

[[gnu::noinline]] Result<std::size_t> sendmsg(int fd, const msghdr& message, int flags) noexcept {
  return size_result(
      retry(Call::sendmsg, fd, [&](std::size_t) { return raw_sendmsg(fd, &message, flags | MSG_NOSIGNAL); }));
}

[[gnu::noinline]] Result<std::size_t> recv_from(int fd, std::span<std::byte> buffer, int flags,
                                                sockaddr* name, socklen_t& name_size) noexcept {
  return size_result(retry(Call::recv, fd, [&](std::size_t size_max) {
    return raw_recvfrom(fd, buffer.data(), std::min(buffer.size(), size_max), flags, name, &name_size);
  }));
}

[[gnu::noinline]] Result<std::size_t> send_to(int fd, std::span<const std::byte> data, const sockaddr* name,
                                              socklen_t name_size) noexcept {
  return size_result(retry(Call::send, fd, [&](std::size_t) {
    return raw_sendto(fd, data.data(), data.size(), MSG_NOSIGNAL, name, name_size);
  }));
}

[[gnu::noinline]] Result<std::size_t> recvmmsg(int fd, std::span<mmsghdr> messages, int flags) noexcept {
  return size_result(retry(Call::recvmmsg, fd, [&](std::size_t) {
    return raw_recvmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()), flags);
  }));
}

[[gnu::noinline]] Result<std::size_t> sendmmsg(int fd, std::span<mmsghdr> messages, int flags) noexcept {
  return size_result(retry(Call::sendmmsg, fd, [&](std::size_t count_max) {
    const std::size_t count = std::min(messages.size(), count_max);
    return raw_sendmmsg(fd, messages.data(), static_cast<unsigned>(count), flags | MSG_NOSIGNAL);
  }));
}

[[gnu::noinline]] Result<void> shutdown(int fd, int how) noexcept {
  return void_result(
      attempt(Call::shutdown, fd, [&](std::size_t) { return raw_answer(::shutdown(fd, how)); }));
}

[[gnu::noinline]] Result<RawAddress> local_address(int fd) noexcept {
  RawAddress address;
  const long raw = attempt(Call::name, fd, [&](std::size_t) {
    return raw_answer(::getsockname(fd, address.data(), address.size_for_fill()));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return address;
}

[[gnu::noinline]] Result<RawAddress> peer_address(int fd) noexcept {
  RawAddress address;
  const long raw = attempt(Call::name, fd, [&](std::size_t) {
    return raw_answer(::getpeername(fd, address.data(), address.size_for_fill()));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return address;
}

[[gnu::noinline]] Result<SocketPair> create_socket_pair(int type) noexcept {
  int fds[2] = {-1, -1};
  const long raw = attempt(Call::socket, -1, [&](std::size_t) {
    return raw_answer(::socketpair(AF_UNIX, type | kSocketFlags, 0, fds));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return SocketPair{Fd(fds[0]), Fd(fds[1])};
}

}  // namespace weft::sys
