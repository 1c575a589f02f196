// SPDX-License-Identifier: Apache-2.0
// The options of a UDP socket. One of IPv6 may have IPv4 peers, so it gets those of both families.
#include <weft/net/udp_socket.hpp>

#include "event_loop/operation/datagrams.hpp"
#include "event_loop/operation/files.hpp"
#include "io/network_here.hpp"
#include "net/datagram/datagram_message.hpp"
#include "sys/errors.hpp"
#include "sys/fd.hpp"
#include "sys/io.hpp"
#include "sys/socket_options.hpp"

#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <tuple>

namespace weft::net {
namespace {

Result<void> joined_or_left(const Result<void>& done) noexcept {
  // The socket is of the other family.
  return sys::is_errno(done.error(), ENOPROTOOPT) ? sys::error_of(EINVAL) : done;
}

Result<void> check_size(int bytes) noexcept { return bytes < 0 ? sys::error_of(EINVAL) : Result<void>(); }

Result<void> check_range(int value, int min, int max) noexcept {
  return value < min || value > max ? sys::error_of(EINVAL) : Result<void>();
}

}  // namespace

Result<UdpSocket> UdpSocket::adopt(int fd) {
  require_fiber("UdpSocket::adopt()");
  if (this_runner()->network != nullptr) return Errc::unsupported;  // of a simulated world
  const Result<int> domain = sys::get_option(fd, SOL_SOCKET, SO_DOMAIN);
  if (!domain) return domain.error();
  if (*domain != AF_INET && *domain != AF_INET6) return sys::error_of(EAFNOSUPPORT);
  const Result<int> type = sys::get_option(fd, SOL_SOCKET, SO_TYPE);
  if (!type) return type.error();
  if (*type != SOCK_DGRAM) return sys::error_of(EPROTOTYPE);
  if (auto set = sys::set_close_on_exec(fd, true); !set) return set.error();
  if (auto set = sys::set_nonblocking(fd, true); !set) return set.error();
  sys::Fd owned(fd);
  const Result<DescriptorHandle> handle = Files::adopt(owned, DescriptorKind::kSocket);
  if (!handle) {
    std::ignore = owned.release();
    return handle.error();
  }
  UdpSocket socket(*handle, *domain == AF_INET6);
  socket.marked_ = true;  // whoever has made it may have asked for marks
  return socket;
}

Result<void> UdpSocket::set_both(int v4_name, int v6_name, int value) {
  const Result<void> set = Datagrams::set_option(handle_, IPPROTO_IP, v4_name, value);
  if (!set || !v6_) return set;
  return Datagrams::set_option(handle_, IPPROTO_IPV6, v6_name, value);
}

Result<void> UdpSocket::apply(const UdpOptions& options) {
  marked_ = options.arrival_address || options.traffic_class || options.coalesce;
  if (options.broadcast) {
    if (auto set = Datagrams::set_option(handle_, SOL_SOCKET, SO_BROADCAST, 1); !set) return set;
  }
  if (options.arrival_address) {  // that of IPv6 tells mapped ones of IPv4, too
    const int level = v6_ ? IPPROTO_IPV6 : IPPROTO_IP;
    const int name = v6_ ? IPV6_RECVPKTINFO : IP_PKTINFO;
    if (auto set = Datagrams::set_option(handle_, level, name, 1); !set) return set;
  }
  if (options.traffic_class) {
    if (auto set = set_both(IP_RECVTOS, IPV6_RECVTCLASS, 1); !set) return set;
  }
  if (!options.coalesce) return {};
  const Result<void> set = Datagrams::set_option(handle_, IPPROTO_UDP, UDP_GRO, 1);
  return sys::is_errno(set.error(), ENOPROTOOPT) ? Result<void>(Errc::unsupported) : set;
}

Result<void> UdpSocket::change_group(bool join, const IpAddress& group, std::uint32_t interface_index) {
  if (group.is_v4()) {
    ip_mreqn request{};
    std::memcpy(&request.imr_multiaddr, group.bytes().data(), sizeof(request.imr_multiaddr));
    request.imr_ifindex = static_cast<int>(interface_index);
    return joined_or_left(Datagrams::set_option(handle_, IPPROTO_IP,
                                                join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                                                std::as_bytes(std::span(&request, 1))));
  }
  ipv6_mreq request{};
  std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), sizeof(request.ipv6mr_multiaddr));
  request.ipv6mr_interface = interface_index != 0 ? interface_index : group.scope_id();
  return joined_or_left(Datagrams::set_option(handle_, IPPROTO_IPV6,
                                              join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                                              std::as_bytes(std::span(&request, 1))));
}

Result<void> UdpSocket::join_group(const IpAddress& group, std::uint32_t interface_index) {
  return change_group(true, group, interface_index);
}

Result<void> UdpSocket::leave_group(const IpAddress& group, std::uint32_t interface_index) {
  return change_group(false, group, interface_index);
}

Result<void> UdpSocket::set_multicast_loop(bool on) {
  return set_both(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on ? 1 : 0);
}

Result<void> UdpSocket::set_multicast_hops(int hops) {
  if (auto checked = check_range(hops, 0, 255); !checked) return checked;
  return set_both(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops);
}

Result<void> UdpSocket::set_multicast_interface(std::uint32_t interface_index) {
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(interface_index);
  const Result<void> set =
      Datagrams::set_option(handle_, IPPROTO_IP, IP_MULTICAST_IF, std::as_bytes(std::span(&request, 1)));
  if (!set || !v6_) return set;
  return Datagrams::set_option(handle_, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface_index));
}

Result<void> UdpSocket::set_traffic_class(TrafficClass traffic_class) {
  return set_both(IP_TOS, IPV6_TCLASS, traffic_class_byte(traffic_class));
}

Result<void> UdpSocket::set_hops(int hops) {
  if (auto checked = check_range(hops, 1, 255); !checked) return checked;
  return set_both(IP_TTL, IPV6_UNICAST_HOPS, hops);
}

Result<void> UdpSocket::set_send_buffer_size(int bytes) {
  if (auto checked = check_size(bytes); !checked) return checked;
  return Datagrams::set_option(handle_, SOL_SOCKET, SO_SNDBUF, bytes);
}

Result<void> UdpSocket::set_receive_buffer_size(int bytes) {
  if (auto checked = check_size(bytes); !checked) return checked;
  return Datagrams::set_option(handle_, SOL_SOCKET, SO_RCVBUF, bytes);
}

Result<int> UdpSocket::send_buffer_size() const { return Datagrams::option(handle_, SOL_SOCKET, SO_SNDBUF); }

Result<int> UdpSocket::receive_buffer_size() const {
  return Datagrams::option(handle_, SOL_SOCKET, SO_RCVBUF);
}

bool UdpSocket::can_segment() const {
  return Datagrams::option(handle_, IPPROTO_UDP, UDP_SEGMENT).has_value();
}

}  // namespace weft::net
