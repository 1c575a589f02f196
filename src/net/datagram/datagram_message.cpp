// SPDX-License-Identifier: Apache-2.0
#include "net/datagram/datagram_message.hpp"

#include <algorithm>
#include <cstring>
#include <netinet/udp.h>

namespace weft::net {
namespace {

constexpr int kEcnBits = 2;

TrafficClass from_byte(int byte) noexcept {
  return {static_cast<std::uint8_t>((byte & 255) >> kEcnBits), static_cast<Ecn>(byte & 3)};
}

// IPv4 tells a byte, IPv6 an int.
int class_of(std::span<const std::byte> value) noexcept {
  return value.size() == 1 ? std::to_integer<int>(value.front()) : sys::control_value<int>(value);
}

void add_v4_source(const IpAddress& from, std::uint32_t interface_index,
                   sys::ControlWriter& control) noexcept {
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface_index);
  std::memcpy(&info.ipi_spec_dst, from.bytes().data(), sizeof(info.ipi_spec_dst));
  control.add(IPPROTO_IP, IP_PKTINFO, info);
}

void add_v6_source(const IpAddress& from, std::uint32_t interface_index,
                   sys::ControlWriter& control) noexcept {
  in6_pktinfo info{};
  info.ipi6_ifindex = interface_index != 0 ? interface_index : from.scope_id();
  std::memcpy(&info.ipi6_addr, from.bytes().data(), sizeof(info.ipi6_addr));
  control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
}

// The kernel ignores what is of the other family.
void add_source(const DatagramSendOptions& options, const IpAddress* to,
                sys::ControlWriter& control) noexcept {
  const std::uint32_t index = options.interface_index;
  if (options.from) {
    const IpAddress from = options.from->unmapped();
    from.is_v4() ? add_v4_source(from, index, control) : add_v6_source(from, index, control);
    return;
  }
  if (index == 0) return;
  if (to == nullptr || to->unmapped().is_v4()) add_v4_source(IpAddress::v4_any(), index, control);
  if (to == nullptr || to->unmapped().is_v6()) add_v6_source(IpAddress::v6_any(), index, control);
}

ArrivedAt arrived_at_v4(std::span<const std::byte> value) noexcept {
  const auto info = sys::control_value<in_pktinfo>(value);
  IpAddress::V4Bytes bytes;
  std::memcpy(bytes.data(), &info.ipi_addr, bytes.size());
  return {IpAddress::v4(bytes), static_cast<std::uint32_t>(info.ipi_ifindex)};
}

ArrivedAt arrived_at_v6(std::span<const std::byte> value) noexcept {
  const auto info = sys::control_value<in6_pktinfo>(value);
  IpAddress::V6Bytes bytes;
  std::memcpy(bytes.data(), &info.ipi6_addr, bytes.size());
  // A link-local one is of this interface: an answer can be sent from it as it is.
  const bool is_link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return {IpAddress::v6(bytes, is_link_local ? info.ipi6_ifindex : 0), info.ipi6_ifindex};
}

}  // namespace

int traffic_class_byte(TrafficClass traffic_class) noexcept {
  return (traffic_class.dscp & 63) << kEcnBits | static_cast<int>(traffic_class.ecn);
}

void add_send_control(const DatagramSendOptions& options, const IpAddress* to, SendControl& room,
                      msghdr& message) noexcept {
  sys::ControlWriter control(room.bytes);
  if (options.traffic_class) {
    const int byte = traffic_class_byte(*options.traffic_class);
    control.add(IPPROTO_IP, IP_TOS, byte);
    control.add(IPPROTO_IPV6, IPV6_TCLASS, byte);
  }
  add_source(options, to, control);
  if (options.segment_size != 0) control.add(IPPROTO_UDP, UDP_SEGMENT, options.segment_size);
  control.give_to(message);
}

ReceivedDatagram read_received(const msghdr& message, std::size_t full_size, std::size_t room) noexcept {
  ReceivedDatagram received;
  received.full_size = full_size;
  received.size = std::min(full_size, room);
  sys::for_each_control(message, [&](int level, int type, std::span<const std::byte> value) {
    if (level == IPPROTO_UDP && type == UDP_GRO) {
      received.segment_size = static_cast<std::size_t>(sys::control_value<int>(value));
    } else if (level == IPPROTO_IP && type == IP_TOS) {
      received.traffic_class = from_byte(class_of(value));
    } else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS) {
      received.traffic_class = from_byte(class_of(value));
    } else if (level == IPPROTO_IP && type == IP_PKTINFO) {
      received.arrived_at = arrived_at_v4(value);
    } else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
      received.arrived_at = arrived_at_v6(value);
    }
  });
  return received;
}

}  // namespace weft::net
