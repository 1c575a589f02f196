// SPDX-License-Identifier: Apache-2.0
#include "event_loop/operation/datagrams.hpp"

#include "event_loop/operation/ask.hpp"
#include "sys/iovec.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

namespace weft {
namespace {

bool is_simulated(const Descriptor& descriptor) noexcept {
  return descriptor.kind == DescriptorKind::kSimulated;
}

Result<std::size_t> receive_now(Descriptor& descriptor, msghdr& message, int flags) {
  if (is_simulated(descriptor)) return descriptor.backend->receive_message(message, flags);
  return sys::recvmsg(descriptor.fd, message, flags);
}

Result<std::size_t> send_now(Descriptor& descriptor, const msghdr& message) {
  if (is_simulated(descriptor)) return descriptor.backend->send_message(message);
  return sys::sendmsg(descriptor.fd, message);
}

msghdr message_of(iovec& piece, const sockaddr* name, socklen_t name_size) noexcept {
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_name = const_cast<sockaddr*>(name);
  message.msg_namelen = name_size;
  return message;
}

Result<std::size_t> receive_from_now(Descriptor& descriptor, std::span<std::byte> buffer, int flags,
                                     sockaddr* name, socklen_t& name_size) {
  if (!is_simulated(descriptor)) return sys::recv_from(descriptor.fd, buffer, flags, name, name_size);
  iovec piece = sys::to_iovec(buffer);
  msghdr message = message_of(piece, name, name_size);
  Result<std::size_t> size = descriptor.backend->receive_message(message, flags);
  if (size) name_size = message.msg_namelen;
  return size;
}

Result<std::size_t> send_to_now(Descriptor& descriptor, std::span<const std::byte> data, const sockaddr* name,
                                socklen_t name_size) {
  if (!is_simulated(descriptor)) return sys::send_to(descriptor.fd, data, name, name_size);
  iovec piece = sys::to_iovec(data);
  return descriptor.backend->send_message(message_of(piece, name, name_size));
}

/// `call(message)` for each, as the kernel does it: until one fails, which counts only if it is the first.
template <class Call>
Result<std::size_t> one_by_one(std::span<mmsghdr> messages, Call&& call) {
  std::size_t count = 0;
  for (; count < messages.size(); ++count) {
    const Result<std::size_t> size = call(messages[count].msg_hdr);
    if (!size && count == 0) return size.error();
    if (!size) break;
    messages[count].msg_len = static_cast<unsigned>(*size);
  }
  return count;
}

Result<std::size_t> receive_several_now(Descriptor& descriptor, std::span<mmsghdr> messages, int flags) {
  if (!is_simulated(descriptor)) return sys::recvmmsg(descriptor.fd, messages, flags);
  return one_by_one(messages,
                    [&](msghdr& message) { return descriptor.backend->receive_message(message, flags); });
}

Result<std::size_t> send_several_now(Descriptor& descriptor, std::span<mmsghdr> messages) {
  if (!is_simulated(descriptor)) return sys::sendmmsg(descriptor.fd, messages);
  return one_by_one(messages, [&](msghdr& message) { return descriptor.backend->send_message(message); });
}

/// The socket was empty, unless something else than a message came: an error is waiting then, perhaps, and
/// gives no new edge. A clear that fails saw a newer edge.
void after_several(Descriptor& descriptor, Readiness::Snapshot seen, bool emptied) noexcept {
  if (emptied && !seen.unusual() && descriptor.readiness.clear(seen, Direction::kRead)) return;
  pass_turn(descriptor, Direction::kRead);
}

}  // namespace

Result<std::size_t> Datagrams::receive(DescriptorHandle handle, msghdr& message, int flags,
                                       Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kRead, deadline,
                 [&] { return receive_now(*descriptor, message, flags); });
}

Result<std::size_t> Datagrams::send(DescriptorHandle handle, const msghdr& message, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kWrite, deadline, [&] { return send_now(*descriptor, message); });
}

Result<std::size_t> Datagrams::receive_from(DescriptorHandle handle, std::span<std::byte> buffer, int flags,
                                            sockaddr* name, socklen_t& name_size, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kRead, deadline,
                 [&] { return receive_from_now(*descriptor, buffer, flags, name, name_size); });
}

Result<std::size_t> Datagrams::send_to(DescriptorHandle handle, std::span<const std::byte> data,
                                       const sockaddr* name, socklen_t name_size, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kWrite, deadline,
                 [&] { return send_to_now(*descriptor, data, name, name_size); });
}

Result<std::size_t> Datagrams::receive_several(DescriptorHandle handle, std::span<mmsghdr> messages,
                                               int flags, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(
      *descriptor, Direction::kRead, deadline,
      [&] { return receive_several_now(*descriptor, messages, flags); },
      [&](Readiness::Snapshot seen, std::size_t count) {
        after_several(*descriptor, seen, count < messages.size());
      },
      [] {});
}

Result<std::size_t> Datagrams::send_several(DescriptorHandle handle, std::span<mmsghdr> messages,
                                            Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kWrite, deadline,
                 [&] { return send_several_now(*descriptor, messages); });
}

Result<bool> Datagrams::send_or_full(DescriptorHandle handle, const msghdr& message, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return operate(*descriptor, Direction::kWrite, deadline, [&]() -> Result<bool> {
    const Result<std::size_t> sent = send_now(*descriptor, message);
    if (!sent && sys::would_block(sent.error())) return false;
    return sent ? Result<bool>(true) : sent.error();
  });
}

Result<std::size_t> Datagrams::send_in_turn(Descriptor& descriptor, const msghdr& message,
                                            Deadline deadline) {
  return operate(descriptor, Direction::kWrite, deadline, [&] { return send_now(descriptor, message); });
}

Result<void> Datagrams::name_peer(DescriptorHandle handle, const sys::RawAddress& address) {
  return ask(
      handle,
      [&](int fd) -> Result<void> {
        const Result<bool> named = sys::connect(fd, address);
        return named ? Result<void>() : named.error();
      },
      [&](DescriptorBackend& backend) { return backend.name_peer(address); });
}

Result<void> Datagrams::set_option(DescriptorHandle handle, int level, int name, int value) {
  return set_option(handle, level, name, std::as_bytes(std::span(&value, 1)));
}

Result<void> Datagrams::set_option(DescriptorHandle handle, int level, int name,
                                   std::span<const std::byte> value) {
  return ask(
      handle, [&](int fd) { return sys::set_option(fd, level, name, value); },
      [&](DescriptorBackend& backend) { return backend.set_option(level, name, value); });
}

Result<int> Datagrams::option(DescriptorHandle handle, int level, int name) {
  return ask(
      handle, [&](int fd) { return sys::get_option(fd, level, name); },
      [&](DescriptorBackend& backend) { return backend.option(level, name); });
}

}  // namespace weft
