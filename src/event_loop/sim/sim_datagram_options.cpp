// SPDX-License-Identifier: Apache-2.0
// The options of a simulated datagram socket, and the groups that it has joined.
#include "event_loop/sim/sim_network.hpp"
#include "sys/control_message.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <netinet/in.h>
#include <netinet/udp.h>

namespace weft {
namespace {

struct KnownOption {
  int level;
  int name;
  int initial;
};

constexpr std::array kKnown{
    KnownOption{SOL_SOCKET, SO_SNDBUF, 212'992},
    KnownOption{SOL_SOCKET, SO_RCVBUF, 212'992},
    KnownOption{SOL_SOCKET, SO_BROADCAST, 0},
    KnownOption{IPPROTO_IP, IP_TOS, 0},
    KnownOption{IPPROTO_IP, IP_TTL, 64},
    KnownOption{IPPROTO_IP, IP_PKTINFO, 0},
    KnownOption{IPPROTO_IP, IP_RECVTOS, 0},
    KnownOption{IPPROTO_IP, IP_MULTICAST_TTL, 1},
    KnownOption{IPPROTO_IP, IP_MULTICAST_LOOP, 1},
    KnownOption{IPPROTO_IP, IP_MULTICAST_IF, 0},
    KnownOption{IPPROTO_IPV6, IPV6_TCLASS, 0},
    KnownOption{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64},
    KnownOption{IPPROTO_IPV6, IPV6_RECVPKTINFO, 0},
    KnownOption{IPPROTO_IPV6, IPV6_RECVTCLASS, 0},
    KnownOption{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1},
    KnownOption{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1},
    KnownOption{IPPROTO_IPV6, IPV6_MULTICAST_IF, 0},
    KnownOption{IPPROTO_UDP, UDP_SEGMENT, 0},
};

const KnownOption* known(int level, int name) noexcept {
  const auto* const found = std::find_if(kKnown.begin(), kKnown.end(), [&](const KnownOption& option) {
    return option.level == level && option.name == name;
  });
  return found == kKnown.end() ? nullptr : found;
}

bool is_membership(int level, int name) noexcept {
  return (level == IPPROTO_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)) ||
         (level == IPPROTO_IPV6 && (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP));
}

sys::RawAddress group_of(int level, std::span<const std::byte> value) noexcept {
  if (level == IPPROTO_IP) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_addr = sys::control_value<ip_mreqn>(value).imr_multiaddr;
    return sys::RawAddress(raw);
  }
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_addr = sys::control_value<ipv6_mreq>(value).ipv6mr_multiaddr;
  return sys::RawAddress(raw);
}

}  // namespace

Result<void> SimSocketOptions::set(int level, int name, int value) {
  if (known(level, name) == nullptr) return sys::error_of(ENOPROTOOPT);
  const bool doubled = level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF);
  values_[{level, name}] = doubled ? 2 * value : value;
  return {};
}

Result<int> SimSocketOptions::get(int level, int name) const {
  if (known(level, name) == nullptr) return sys::error_of(ENOPROTOOPT);
  return value(level, name);
}

int SimSocketOptions::value(int level, int name) const noexcept {
  const auto set = values_.find({level, name});
  if (set != values_.end()) return set->second;
  const KnownOption* const option = known(level, name);
  return option == nullptr ? 0 : option->initial;
}

Result<void> SimDatagramSocket::set_option(int level, int name, std::span<const std::byte> value) {
  const std::scoped_lock lock(network_->mutex);
  if (is_membership(level, name)) return change_membership_locked(level, name, value);
  // Where it leaves is named by a structure; this world has one interface.
  const bool is_structure = level == IPPROTO_IP && name == IP_MULTICAST_IF;
  return options_.set(level, name, is_structure ? 0 : sys::control_value<int>(value));
}

Result<int> SimDatagramSocket::option(int level, int name) {
  const std::scoped_lock lock(network_->mutex);
  return options_.get(level, name);
}

Result<void> SimDatagramSocket::change_membership_locked(int level, int name,
                                                         std::span<const std::byte> value) {
  const SimAddress group = SimAddress::from_raw(group_of(level, value)).value();
  if (!group.is_multicast()) return sys::error_of(EINVAL);
  const bool joins = level == IPPROTO_IP ? name == IP_ADD_MEMBERSHIP : name == IPV6_JOIN_GROUP;
  if (joins) return groups_.insert(group).second ? Result<void>() : sys::error_of(EADDRINUSE);
  return groups_.erase(group) == 1 ? Result<void>() : sys::error_of(EADDRNOTAVAIL);
}

}  // namespace weft
