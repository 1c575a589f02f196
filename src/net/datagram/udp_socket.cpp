// SPDX-License-Identifier: Apache-2.0
// What a UDP socket sends and receives. Its options are in udp_options.cpp.
#include <weft/net/udp_socket.hpp>

#include "event_loop/operation/datagrams.hpp"
#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/connect/listen_by_name.hpp"
#include "net/datagram/datagram_slots.hpp"
#include "net/resolve/host_service.hpp"
#include "net/sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <weft/net/resolver.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <netinet/udp.h>

namespace weft::net {
namespace {

constexpr std::size_t kPiecesMax = 16;

/// The kernel has no IPv6, or none is switched on.
bool lacks_v6(const std::error_code& error) noexcept {
  return sys::is_errno(error, EAFNOSUPPORT) || sys::is_errno(error, EADDRNOTAVAIL);
}

DatagramParameters parameters_of(const UdpOptions& options, const SocketAddress& address) noexcept {
  DatagramParameters parameters;
  parameters.family = address.ip().is_v6() ? AF_INET6 : AF_INET;
  parameters.reuse_address = options.reuse_address;
  parameters.reuse_port = options.reuse_port;
  parameters.v6_only = options.v6_only;
  parameters.device = options.device;
  return parameters;
}

Result<ReceivedDatagram> receive_pieces(DescriptorHandle handle, std::span<iovec> pieces, Deadline deadline) {
  sockaddr_in6 name;
  ReceiveControl control;
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = sizeof(name);
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const Result<std::size_t> full_size = Datagrams::receive(handle, message, MSG_TRUNC, deadline);
  if (!full_size) return full_size.error();
  ReceivedDatagram received = read_received(message, *full_size, sys::total_size(pieces));
  received.from = read_sockaddr(name, message.msg_namelen);
  return received;
}

/// The kernel has nothing to tell beside the sender.
Result<ReceivedDatagram> receive_plain(DescriptorHandle handle, std::span<std::byte> buffer,
                                       Deadline deadline) {
  sockaddr_in6 name;
  socklen_t name_size = sizeof(name);
  const Result<std::size_t> full_size = Datagrams::receive_from(
      handle, buffer, MSG_TRUNC, reinterpret_cast<sockaddr*>(&name), name_size, deadline);
  if (!full_size) return full_size.error();
  ReceivedDatagram received;
  received.from = read_sockaddr(name, name_size);
  received.full_size = *full_size;
  received.size = std::min(*full_size, buffer.size());
  return received;
}

Result<void> send_plain(DescriptorHandle handle, std::span<const std::byte> data, const SocketAddress* to,
                        Deadline deadline) {
  sockaddr_in6 name;
  const socklen_t name_size = to != nullptr ? write_sockaddr(*to, name) : 0;
  const auto* const raw = to != nullptr ? reinterpret_cast<const sockaddr*>(&name) : nullptr;
  const Result<std::size_t> sent = Datagrams::send_to(handle, data, raw, name_size, deadline);
  return sent ? Result<void>() : sent.error();
}

bool is_default(const DatagramSendOptions& options) noexcept {
  return !options.traffic_class && !options.from && options.interface_index == 0 && options.segment_size == 0;
}

Result<void> send_pieces(DescriptorHandle handle, std::span<iovec> pieces, const SocketAddress* to,
                         Deadline deadline, const DatagramSendOptions& options) {
  sockaddr_in6 name;
  SendControl control;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  if (to != nullptr) {
    message.msg_name = &name;
    message.msg_namelen = write_sockaddr(*to, name);
  }
  add_send_control(options, to != nullptr ? &to->ip() : nullptr, control, message);
  const Result<std::size_t> sent = Datagrams::send(handle, message, deadline);
  return sent ? Result<void>() : sent.error();
}

}  // namespace

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  io::transfer(handle_, other.handle_);
  v6_ = other.v6_;
  marked_ = other.marked_;
  return *this;
}

UdpSocket::~UdpSocket() { io::close_if_open(handle_); }

Result<UdpSocket> UdpSocket::bind(const SocketAddress& address, const UdpOptions& options) {
  Network& network = network_here("UdpSocket::bind()");
  DatagramParameters parameters = parameters_of(options, address);
  parameters.local = to_raw(address);
  Result<DescriptorHandle> handle = network.open_datagram(parameters);
  if (!handle && address.ip() == IpAddress::v6_any() && !options.v6_only && lacks_v6(handle.error())) {
    parameters.family = AF_INET;
    parameters.local = to_raw({IpAddress::v4_any(), address.port()});
    handle = network.open_datagram(parameters);
  }
  if (!handle) return weft::detail::failure_about(handle.error(), "receiving at", address.to_string());
  UdpSocket socket(*handle, parameters.family == AF_INET6);
  if (const Result<void> applied = socket.apply(options); !applied)
    return weft::detail::failure_about(applied.error(), "receiving at", address.to_string());
  return socket;
}

Result<UdpSocket> UdpSocket::bind(std::string_view address, const UdpOptions& options) {
  require_fiber("UdpSocket::bind()");
  const Result<std::vector<SocketAddress>> addresses = addresses_to_listen_at(address);
  if (!addresses) return addresses.failure();
  return bind(addresses->front(), options);
}

Result<UdpSocket> UdpSocket::connect(const SocketAddress& peer, const UdpOptions& options) {
  Network& network = network_here("UdpSocket::connect()");
  DatagramParameters parameters = parameters_of(options, peer);
  parameters.peer = to_raw(peer);
  const Result<DescriptorHandle> handle = network.open_datagram(parameters);
  if (!handle) return weft::detail::failure_about(handle.error(), "sending to", peer.to_string());
  UdpSocket socket(*handle, parameters.family == AF_INET6);
  if (const Result<void> applied = socket.apply(options); !applied)
    return weft::detail::failure_about(applied.error(), "sending to", peer.to_string());
  return socket;
}

Result<UdpSocket> UdpSocket::connect(std::string_view peer, const UdpOptions& options) {
  require_fiber("UdpSocket::connect()");
  if (const Result<SocketAddress> numeric = SocketAddress::parse(peer)) return connect(*numeric, options);
  const std::optional<HostService> parts = split_host_service(peer);
  if (!parts) return weft::detail::failure_about(Errc::invalid_address, "sending to", peer);
  const Result<std::vector<SocketAddress>> addresses =
      default_resolver().resolve(parts->host, parts->service);
  if (!addresses) return weft::detail::failure_about(addresses.error(), "sending to", peer);
  Result<UdpSocket> socket = Errc::invalid_address;
  for (const SocketAddress& each : *addresses) {
    socket = connect(each, options);
    if (socket) break;
  }
  return socket;
}

Result<void> UdpSocket::set_peer(const SocketAddress& peer) {
  require_fiber("UdpSocket::set_peer()");
  return Datagrams::name_peer(handle_, to_raw(peer));
}

Result<void> UdpSocket::clear_peer() {
  require_fiber("UdpSocket::clear_peer()");
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  return Datagrams::name_peer(handle_, sys::RawAddress(none));
}

Result<ReceivedDatagram> UdpSocket::receive_from_until(MutableBuffer buffer, Deadline deadline) {
  require_fiber("receive_from() of a UdpSocket");
  if (!marked_) return receive_plain(handle_, buffer, deadline);
  iovec piece = sys::to_iovec(std::span<std::byte>(buffer));
  return receive_pieces(handle_, std::span(&piece, 1), deadline);
}

Result<ReceivedDatagram> UdpSocket::receive_from_until(std::span<const std::span<std::byte>> buffers,
                                                       Deadline deadline) {
  require_fiber("receive_from() of a UdpSocket");
  std::array<iovec, kPiecesMax> pieces;
  const std::size_t count = std::min(buffers.size(), pieces.size());
  for (std::size_t i = 0; i < count; ++i) pieces[i] = sys::to_iovec(buffers[i]);
  return receive_pieces(handle_, std::span(pieces).first(count), deadline);
}

Result<void> UdpSocket::send_to_until(ConstBuffer data, const SocketAddress& to, Deadline deadline,
                                      const DatagramSendOptions& options) {
  require_fiber("send_to() of a UdpSocket");
  if (is_default(options)) return send_plain(handle_, data, &to, deadline);
  if (options.segment_size != 0 && !can_segment()) return Errc::unsupported;
  iovec piece = sys::to_iovec(std::span<const std::byte>(data));
  return send_pieces(handle_, std::span(&piece, 1), &to, deadline, options);
}

Result<void> UdpSocket::send_until(ConstBuffer data, Deadline deadline, const DatagramSendOptions& options) {
  require_fiber("send() of a UdpSocket");
  if (is_default(options)) return send_plain(handle_, data, nullptr, deadline);
  if (options.segment_size != 0 && !can_segment()) return Errc::unsupported;
  iovec piece = sys::to_iovec(std::span<const std::byte>(data));
  return send_pieces(handle_, std::span(&piece, 1), nullptr, deadline, options);
}

Result<void> UdpSocket::send_to_until(std::span<const std::span<const std::byte>> buffers,
                                      const SocketAddress& to, Deadline deadline,
                                      const DatagramSendOptions& options) {
  require_fiber("send_to() of a UdpSocket");
  if (buffers.size() > kPiecesMax) return sys::error_of(EINVAL);
  if (options.segment_size != 0 && !can_segment()) return Errc::unsupported;
  std::array<iovec, kPiecesMax> pieces;
  for (std::size_t i = 0; i < buffers.size(); ++i) pieces[i] = sys::to_iovec(buffers[i]);
  return send_pieces(handle_, std::span(pieces).first(buffers.size()), &to, deadline, options);
}

Result<std::size_t> UdpSocket::receive_batch_until(ReceiveBatch& batch, Deadline deadline) {
  require_fiber("receive_batch() of a UdpSocket");
  if (batch.slots_ == nullptr) return sys::error_of(EINVAL);  // moved from
  const std::span<mmsghdr> messages = batch.slots_->make_ready();
  const Result<std::size_t> count = Datagrams::receive_several(handle_, messages, MSG_TRUNC, deadline);
  if (count) batch.slots_->count = *count;
  return count;
}

Result<void> UdpSocket::send_batch_until(SendBatch& batch, Deadline deadline) {
  require_fiber("send_batch() of a UdpSocket");
  if (batch.slots_ != nullptr && batch.slots_->segmented != 0 && !can_segment()) return Errc::unsupported;
  using Merging = weft::detail::SendSlots::Merging;
  while (!batch.empty()) {
    weft::detail::SendSlots& slots = *batch.slots_;
    if (slots.merging == Merging::kUnknown) slots.merging = can_segment() ? Merging::kOn : Merging::kOff;
    const std::span<mmsghdr> messages = slots.merging == Merging::kOn ? slots.merge() : slots.unsent();
    const Result<std::size_t> sent = Datagrams::send_several(handle_, messages, deadline);
    if (!sent && slots.stop_merging_after(sent.error())) continue;
    if (!sent) return sent.error();
    slots.drop(slots.datagrams_of(*sent));
    if (!batch.empty() && deadline.passed()) return Errc::timed_out;
  }
  return {};
}

Result<void> UdpSocket::wait_readable(Deadline deadline) {
  require_fiber("wait_readable() of a UdpSocket");
  return Files::wait_ready(handle_, Direction::kRead, deadline);
}

Result<void> UdpSocket::wait_writable(Deadline deadline) {
  require_fiber("wait_writable() of a UdpSocket");
  return Files::wait_ready(handle_, Direction::kWrite, deadline);
}

Result<SocketAddress> UdpSocket::local_address() const {
  require_fiber("UdpSocket::local_address()");
  const Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

Result<SocketAddress> UdpSocket::peer_address() const {
  require_fiber("UdpSocket::peer_address()");
  const Result<sys::RawAddress> raw = Files::peer_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

Result<void> UdpSocket::close() { return io::close_once(handle_); }

bool UdpSocket::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

Result<DescriptorCounters> UdpSocket::counters() const {
  const DescriptorUse descriptor(handle_);
  if (!descriptor) return Errc::closed;
  const std::scoped_lock lock(descriptor->lock);
  return descriptor->counters;
}

int UdpSocket::native_handle() const noexcept { return io::number_of(handle_); }

}  // namespace weft::net
