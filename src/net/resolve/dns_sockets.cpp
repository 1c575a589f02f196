// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/dns_sockets.hpp"

#include "sys/errors.hpp"
#include "sys/raw_address.hpp"
#include "sys/socket.hpp"

#include <algorithm>
#include <ares.h>
#include <cerrno>
#include <cstring>
#include <span>

namespace weft::net {
namespace {

/// The answer of a system call that failed.
int failed_with(std::error_code error) noexcept {
  errno = error.value();
  return -1;
}

bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

DnsTrace& trace_of(void* trace) noexcept { return *static_cast<DnsTrace*>(trace); }

/// SERVFAIL, NOTIMP and REFUSED: after these c-ares asks the next server, and forgets which it was.
void note_rcode(std::span<const unsigned char> message, DnsTrace& trace) noexcept {
  constexpr std::size_t kHeaderSize = 12;
  if (message.size() < kHeaderSize) return;
  const int rcode = message[3] & 0xf;
  if (rcode == 2 || rcode == 4 || rcode == 5) trace.failed_rcode = rcode;
}

ares_socket_t open_dns_socket(int domain, int type, int protocol, void* trace) {
  Result<sys::Fd> fd = sys::create_socket(domain, type, protocol);
  if (fd) return fd->release();
  if (is_shortage(fd.error().value())) trace_of(trace).broken = fd.error();
  return failed_with(fd.error());
}

int close_dns_socket(ares_socket_t fd, void*) {
  sys::close(fd);
  return 0;
}

int connect_dns_socket(ares_socket_t fd, const sockaddr* address, ares_socklen_t size, void*) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address, std::min<std::size_t>(size, sizeof(storage)));
  const Result<bool> connected = sys::connect(fd, sys::RawAddress(storage, size));
  if (!connected) return failed_with(connected.error());
  return *connected ? 0 : failed_with(sys::error_of(EINPROGRESS));
}

ares_ssize_t receive_dns(ares_socket_t fd, void* data, std::size_t size, int flags, sockaddr* from,
                         ares_socklen_t* from_size, void* trace) {
  iovec buffer{.iov_base = data, .iov_len = size};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_name = from;
  message.msg_namelen = from_size != nullptr ? *from_size : 0;
  const Result<std::size_t> received = sys::recvmsg(fd, message, flags);
  if (!received) {
    if (sys::is_errno(received.error(), ECONNREFUSED)) trace_of(trace).unreachable = true;
    return failed_with(received.error());
  }
  if (from_size != nullptr) {  // UDP
    *from_size = message.msg_namelen;
    note_rcode({static_cast<const unsigned char*>(data), *received}, trace_of(trace));
  }
  return static_cast<ares_ssize_t>(*received);
}

// The refusal of an earlier datagram is reported by the next call of the socket. If that is a send, c-ares
// takes it for an error of the new query, and the earlier one waits for its timeout. So the new one is sent:
// its own refusal comes by a receive, which ends both.
ares_ssize_t send_dns(ares_socket_t fd, const iovec* buffers, int count, void*) {
  const std::span<const iovec> data(buffers, static_cast<std::size_t>(count));
  Result<std::size_t> sent = sys::send_vectored(fd, data);
  if (!sent && sys::is_errno(sent.error(), ECONNREFUSED)) sent = sys::send_vectored(fd, data);
  return sent ? static_cast<ares_ssize_t>(*sent) : failed_with(sent.error());
}

constexpr ares_socket_functions kDnsSocketFunctions{.asocket = open_dns_socket,
                                                    .aclose = close_dns_socket,
                                                    .aconnect = connect_dns_socket,
                                                    .arecvfrom = receive_dns,
                                                    .asendv = send_dns};

}  // namespace

const ares_socket_functions* dns_socket_functions() noexcept { return &kDnsSocketFunctions; }

}  // namespace weft::net
