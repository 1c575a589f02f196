// SPDX-License-Identifier: Apache-2.0
// What a simulated datagram socket sends and receives.
#include "event_loop/sim/sim_network.hpp"
#include "event_loop/sim/sim_signal.hpp"
#include "sys/control_message.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <algorithm>
#include <mutex>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <utility>

namespace weft {
namespace {

/// As net.unix.max_dgram_qlen: one more than that waits for its receiver.
constexpr std::size_t kUnixQueueMax = 11;
constexpr Signals kMessageCame{.read = true, .write = false, .unusual = false, .hang_up = false};
constexpr Signals kRoomCame{.read = false, .write = true, .unusual = false, .hang_up = false};
constexpr Signals kErrorCame{.read = true, .write = true, .unusual = true, .hang_up = true};

std::span<const iovec> pieces_of(const msghdr& message) noexcept {
  return {message.msg_iov, message.msg_iovlen};
}

std::vector<std::byte> bytes_of(const msghdr& message) {
  std::vector<std::byte> bytes;
  for (const iovec& piece : pieces_of(message)) {
    const auto* const from = static_cast<const std::byte*>(piece.iov_base);
    bytes.insert(bytes.end(), from, from + piece.iov_len);
  }
  return bytes;
}

/// The bytes that there was room for.
std::size_t copy_out(const std::vector<std::byte>& bytes, const msghdr& message) noexcept {
  std::size_t copied = 0;
  for (const iovec& piece : pieces_of(message)) {
    const std::size_t count = std::min(piece.iov_len, bytes.size() - copied);
    if (count != 0) std::memcpy(piece.iov_base, bytes.data() + copied, count);
    copied += count;
  }
  return copied;
}

void name_sender(const SimAddress& from, msghdr& message) noexcept {
  const sys::RawAddress raw = from.to_raw();
  if (message.msg_name != nullptr)
    std::memcpy(message.msg_name, raw.data(), std::min<std::size_t>(raw.size(), message.msg_namelen));
  message.msg_namelen = raw.size();
}

sys::RawAddress name_in(const msghdr& message) noexcept {
  sockaddr_storage storage{};
  const std::size_t size = std::min<std::size_t>(message.msg_namelen, sizeof(storage));
  std::memcpy(&storage, message.msg_name, size);
  return {storage, static_cast<socklen_t>(size)};
}

/// What goes with a message that is sent.
struct SendMarks {
  int traffic_class;
  std::size_t segment_size;
  std::optional<SimAddress> from;
};

SimAddress v6_address(const in6_addr& address) noexcept {
  SimAddress made;
  made.v6 = true;
  std::memcpy(made.ip.data(), &address, sizeof(address));
  return made.unmapped();
}

SimAddress v4_address(const in_addr& address) noexcept {
  SimAddress made;
  std::memcpy(made.ip.data(), &address, sizeof(address));
  return made;
}

SendMarks marks_of(const msghdr& message, const SimSocketOptions& options, bool to_v6) {
  SendMarks marks{to_v6 ? options.value(IPPROTO_IPV6, IPV6_TCLASS) : options.value(IPPROTO_IP, IP_TOS),
                  static_cast<std::size_t>(options.value(IPPROTO_UDP, UDP_SEGMENT)), std::nullopt};
  sys::for_each_control(message, [&](int level, int type, std::span<const std::byte> value) {
    if (level == IPPROTO_UDP && type == UDP_SEGMENT)
      marks.segment_size = sys::control_value<std::uint16_t>(value);
    if (level == IPPROTO_IP && type == IP_TOS && !to_v6) marks.traffic_class = sys::control_value<int>(value);
    if (level == IPPROTO_IPV6 && type == IPV6_TCLASS && to_v6)
      marks.traffic_class = sys::control_value<int>(value);
    if (level == IPPROTO_IP && type == IP_PKTINFO)
      marks.from = v4_address(sys::control_value<in_pktinfo>(value).ipi_spec_dst);
    if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO)
      marks.from = v6_address(sys::control_value<in6_pktinfo>(value).ipi6_addr);
  });
  if (marks.from && marks.from->is_any()) marks.from.reset();
  return marks;
}

}  // namespace

Result<std::size_t> SimDatagramSocket::receive_message(msghdr& message, int flags) {
  const std::scoped_lock lock(network_->mutex);
  return receive_locked(message, flags);
}

Result<std::size_t> SimDatagramSocket::send_message(const msghdr& message) {
  const std::scoped_lock lock(network_->mutex);
  return is_unix() ? send_unix_locked(message) : send_locked(message);
}

// As Linux: an error before what is queued.
Result<std::size_t> SimDatagramSocket::receive_locked(msghdr& message, int flags) {
  if (pending_error_ != 0) return sys::error_of(std::exchange(pending_error_, 0));
  if (queue_.empty()) return sys::error_of(EAGAIN);
  const SimDatagram datagram = std::move(queue_.front());
  queue_.pop_front();
  queued_size_ -= datagram.bytes.size();
  message.msg_flags = 0;
  const std::size_t copied = copy_out(datagram.bytes, message);
  if (copied < datagram.bytes.size()) message.msg_flags |= MSG_TRUNC;
  name_sender(seen_locked(datagram.from), message);
  add_control_locked(datagram, message);
  if (is_unix()) {
    network_->datagrams_locked().sockets().for_each([&](SimDatagramSocket& other) {
      if (other.full_.lock().get() == this)
        network_->datagrams_locked().tell_of_room(other.shared_from_this());
    });
  }
  return (flags & MSG_TRUNC) != 0 ? datagram.bytes.size() : copied;
}

// A socket of both families sees IPv4 as mapped addresses.
SimAddress SimDatagramSocket::seen_locked(const SimAddress& address) const {
  return local_.v6 ? address.mapped() : address;
}

void SimDatagramSocket::add_control_locked(const SimDatagram& datagram, msghdr& message) const {
  sys::ControlWriter control({static_cast<std::byte*>(message.msg_control), message.msg_controllen});
  bool whole = true;
  if (local_.v6 && options_.value(IPPROTO_IPV6, IPV6_RECVPKTINFO) != 0) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, datagram.to.mapped().ip.data(), sizeof(info.ipi6_addr));
    info.ipi6_ifindex = 1;
    whole &= control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (!local_.v6 && options_.value(IPPROTO_IP, IP_PKTINFO) != 0) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_addr, datagram.to.ip.data(), sizeof(info.ipi_addr));
    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 1;
    whole &= control.add(IPPROTO_IP, IP_PKTINFO, info);
  }
  if (datagram.to.v6 && options_.value(IPPROTO_IPV6, IPV6_RECVTCLASS) != 0)
    whole &= control.add(IPPROTO_IPV6, IPV6_TCLASS, datagram.traffic_class);
  if (!datagram.to.v6 && options_.value(IPPROTO_IP, IP_RECVTOS) != 0)
    whole &= control.add(IPPROTO_IP, IP_TOS, static_cast<std::uint8_t>(datagram.traffic_class));
  if (!whole) message.msg_flags |= MSG_CTRUNC;
  message.msg_controllen = control.size();
}

Result<SimAddress> SimDatagramSocket::ip_target_locked(const msghdr& message) {
  if (message.msg_name == nullptr || message.msg_namelen == 0)
    return peer_ ? Result<SimAddress>(*peer_) : sys::error_of(EDESTADDRREQ);
  const Result<SimAddress> to = SimAddress::from_raw(name_in(message));
  if (!to) return to;
  if (to->local) return sys::error_of(EAFNOSUPPORT);
  if (to->port == 0) return sys::error_of(EINVAL);
  if (to->unmapped().v6 && !local_.v6) return sys::error_of(EAFNOSUPPORT);
  if (!to->unmapped().v6 && local_.v6 && parameters_.v6_only) return sys::error_of(ENETUNREACH);
  return to->or_loopback();
}

Result<std::size_t> SimDatagramSocket::send_locked(const msghdr& message) {
  if (pending_error_ != 0) return sys::error_of(std::exchange(pending_error_, 0));
  const Result<SimAddress> to = ip_target_locked(message);
  if (!to) return to.error();
  if (to->is_broadcast() && options_.value(SOL_SOCKET, SO_BROADCAST) == 0) return sys::error_of(EACCES);
  if (local_.port == 0) {
    if (const Result<void> bound = bind_locked(local_); !bound) return bound.error();
  }
  return send_ip_locked(message, to->unmapped());
}

Result<std::size_t> SimDatagramSocket::send_ip_locked(const msghdr& message, SimAddress to) {
  const SendMarks marks = marks_of(message, options_, to.v6);
  const std::vector<std::byte> bytes = bytes_of(message);
  const std::size_t segment =
      marks.segment_size == 0 ? std::max<std::size_t>(bytes.size(), 1) : marks.segment_size;
  if (segment > network_->datagrams_locked().size_max()) return sys::error_of(EMSGSIZE);
  SimAddress from = local_;
  if (from.is_any()) from = to.is_multicast() || to.is_broadcast() ? from.unmapped().or_loopback() : to;
  if (from.is_any() || (from.v6 != to.v6 && !to.v6)) from = SimAddress{}.or_loopback();
  if (marks.from) from = *marks.from;
  from = from.unmapped().with_port(local_.port);
  const int loop = to.v6 ? options_.value(IPPROTO_IPV6, IPV6_MULTICAST_LOOP)
                         : options_.value(IPPROTO_IP, IP_MULTICAST_LOOP);
  if (to.is_multicast() && loop == 0) return bytes.size();  // there is no other host
  for (std::size_t at = 0; at == 0 || at < bytes.size(); at += segment) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = static_cast<std::ptrdiff_t>(std::min(segment, bytes.size() - at));
    network_->datagrams_locked().send(shared_from_this(),
                                      {from, to, {first, first + count}, marks.traffic_class});
  }
  return bytes.size();
}

Result<std::shared_ptr<SimDatagramSocket>> SimDatagramSocket::unix_target_locked(const msghdr& message) {
  if (message.msg_name == nullptr || message.msg_namelen == 0) {
    if (!peer_) return sys::error_of(ENOTCONN);
    std::shared_ptr<SimDatagramSocket> target = unix_peer_.lock();
    if (target == nullptr || target->ended_) return sys::error_of(ECONNREFUSED);
    return target;
  }
  const Result<SimAddress> to = SimAddress::from_raw(name_in(message));
  if (!to) return to.error();
  if (!to->local || to->name.empty()) return sys::error_of(EINVAL);
  std::shared_ptr<SimDatagramSocket> target = network_->datagrams_locked().find_unix(*to);
  if (target == nullptr) return sys::error_of(to->name.front() == '\0' ? ECONNREFUSED : ENOENT);
  const std::shared_ptr<SimDatagramSocket> their_peer = target->unix_peer_.lock();
  if (their_peer != nullptr && their_peer.get() != this) return sys::error_of(EPERM);
  return target;
}

Result<std::size_t> SimDatagramSocket::send_unix_locked(const msghdr& message) {
  const Result<std::shared_ptr<SimDatagramSocket>> target = unix_target_locked(message);
  if (!target) return target.error();
  if (message.msg_controllen != 0) return Errc::unsupported;  // files are the kernel's
  std::vector<std::byte> bytes = bytes_of(message);
  const std::size_t size = bytes.size();
  if (size > static_cast<std::size_t>(options_.value(SOL_SOCKET, SO_SNDBUF))) return sys::error_of(EMSGSIZE);
  if ((*target)->room_locked() == 0) {
    full_ = *target;
    return sys::error_of(EAGAIN);
  }
  ++(*target)->on_the_way_;
  network_->datagrams_locked().send_to(*target, {local_, (*target)->local_, std::move(bytes), 0});
  return size;
}

std::size_t SimDatagramSocket::room_locked() const noexcept {
  const std::size_t taken = queue_.size() + on_the_way_;
  return taken < kUnixQueueMax ? kUnixQueueMax - taken : 0;
}

bool SimDatagramSocket::arrive_locked(const SimDatagram& datagram, FiberQueue& won) {
  if (is_unix() && on_the_way_ > 0) --on_the_way_;
  if (ended_) return false;
  const auto queue_size = static_cast<std::size_t>(options_.value(SOL_SOCKET, SO_RCVBUF));
  const std::size_t limit = std::min(queue_size, network_->datagrams_locked().queue_size());
  if (!is_unix() && queued_size_ + datagram.bytes.size() > limit) return false;
  queued_size_ += datagram.bytes.size();
  queue_.push_back(datagram);
  return descriptor_ == nullptr || sim_signal_locked(*descriptor_, kMessageCame, won);
}

bool SimDatagramSocket::refused_locked(const SimAddress& by, FiberQueue& won) {
  if (ended_ || !peer_ || peer_->unmapped() != by) return false;
  pending_error_ = ECONNREFUSED;
  return sim_signal_locked(*descriptor_, kErrorCame, won);
}

bool SimDatagramSocket::room_came_locked(FiberQueue& won) {
  full_.reset();
  return !ended_ && sim_signal_locked(*descriptor_, kRoomCame, won);
}

}  // namespace weft
