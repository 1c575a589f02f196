// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace weft::net {

/// Explicit congestion notification (RFC 3168): the lower two bits of the traffic class.
enum class Ecn : std::uint8_t {
  kNotCapable = 0,
  kCapable1 = 1,    ///< ECT(1), which L4S uses (RFC 9331)
  kCapable0 = 2,    ///< ECT(0)
  kCongestion = 3,  ///< a router has marked it
};

/// The traffic class of a datagram: the byte that IPv4 calls TOS.
struct TrafficClass {
  std::uint8_t dscp = 0;  ///< differentiated services, 0 to 63; higher bits are ignored
  Ecn ecn = Ecn::kNotCapable;

  friend auto operator<=>(const TrafficClass&, const TrafficClass&) noexcept = default;
};

/// Where a datagram arrived: the address that it was sent to, and the index of the interface.
struct ArrivedAt {
  IpAddress address;
  std::uint32_t interface_index = 0;
};

/// What is known of a received datagram, besides its bytes.
struct ReceivedDatagram {
  SocketAddress from;
  std::size_t size = 0;       ///< the bytes in the buffer; 0 is an empty datagram
  std::size_t full_size = 0;  ///< the bytes that were sent; more than `size` if the buffer was too small
  /// If the kernel has joined several datagrams (UdpOptions::coalesce): the size of each but the last.
  /// Otherwise 0.
  std::size_t segment_size = 0;
  std::optional<ArrivedAt> arrived_at;        ///< with UdpOptions::arrival_address
  std::optional<TrafficClass> traffic_class;  ///< with UdpOptions::traffic_class

  /// The rest of the datagram did not fit, and is lost.
  bool is_truncated() const noexcept { return full_size > size; }
};

/// How a datagram is sent. The default is as the socket says.
struct DatagramSendOptions {
  /// The traffic class of this datagram, both of its parts.
  std::optional<TrafficClass> traffic_class = std::nullopt;
  /// The local address that it comes from. A server at the wildcard address answers from the address that the
  /// request was sent to: `ReceivedDatagram::arrived_at->address`.
  std::optional<IpAddress> from = std::nullopt;
  /// The index of the interface that it leaves by; 0: as the routes say.
  std::uint32_t interface_index = 0;
  /// Not 0: the data is cut into datagrams of this size; the last may be shorter. One call sends up to 64 of
  /// them, together at most 65,507 bytes (GSO). Errc::unsupported if the kernel cannot do it:
  /// UdpSocket::can_segment().
  std::uint16_t segment_size = 0;
};

}  // namespace weft::net
