// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between a datagram's values and the message that the kernel moves.

#include "sys/control_message.hpp"

#include <weft/net/datagram.hpp>

#include <array>
#include <cstddef>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <sys/socket.h>

namespace weft::net {

/// Room for everything that comes with a datagram: where it arrived, its traffic class for both families, the
/// size of its segments.
inline constexpr std::size_t kReceiveControlSize =
    sys::control_size(sizeof(in6_pktinfo)) + 3 * sys::control_size(sizeof(int));
struct alignas(cmsghdr) ReceiveControl {
  std::array<std::byte, kReceiveControlSize> bytes;
};

/// Room for everything that can go with one: as above, and the interface for both families.
inline constexpr std::size_t kSendControlSize = sys::control_size(sizeof(in6_pktinfo)) +
                                                sys::control_size(sizeof(in_pktinfo)) +
                                                3 * sys::control_size(sizeof(int));
struct alignas(cmsghdr) SendControl {
  std::array<std::byte, kSendControlSize> bytes;
};

/// The byte of the header.
int traffic_class_byte(TrafficClass traffic_class) noexcept;

/// Adds what `options` ask for to `message`; nothing for the default. `to` is null for the peer.
void add_send_control(const DatagramSendOptions& options, const IpAddress* to, SendControl& control,
                      msghdr& message) noexcept;

/// What the control data of a received message says, and its size: `full_size` is the answer of a call with
/// MSG_TRUNC, `room` what there was room for. The sender is left out.
ReceivedDatagram read_received(const msghdr& message, std::size_t full_size, std::size_t room) noexcept;

}  // namespace weft::net
