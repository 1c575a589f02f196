// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_ports.hpp"

#include "sys/errors.hpp"

#include <algorithm>

namespace weft {
namespace {

SimAddress any_v4(std::uint16_t port) noexcept { return SimAddress{}.with_port(port); }

SimAddress any_v6(std::uint16_t port) noexcept {
  SimAddress address = any_v4(port);
  address.v6 = true;
  return address;
}

// `a` stands for all that `b` stands for: [::] takes connections of both families.
bool covers(const SimAddress& a, const SimAddress& b) noexcept {
  if (a.local || b.local) return a == b;
  return a == b || (a.is_any() && a.port == b.port && (a.v6 || !b.v6));
}

}  // namespace

bool SimPorts::may_bind(const SimAddress& address, bool reuse_port) const noexcept {
  return std::all_of(listeners_.begin(), listeners_.end(), [&](const Listeners::value_type& entry) {
    const bool conflict = covers(entry.first, address) || covers(address, entry.first);
    return !conflict || (reuse_port && entry.second.front().reuse_port);
  });
}

Result<SimAddress> SimPorts::bind(SimAddress address, bool reuse_port, SimSocket& listener) {
  if (address.local) {
    if (listeners_.contains(address)) return sys::error_of(EADDRINUSE);
  } else if (address.port == 0) {
    address.port = take_ephemeral();
    if (address.port == 0) return sys::error_of(EADDRINUSE);
  } else if (may_bind(address, reuse_port)) {
    ++uses_[address.port];
  } else {
    return sys::error_of(EADDRINUSE);
  }
  listeners_[address].push_back({&listener, reuse_port});
  return address;
}

void SimPorts::unbind(const SimAddress& address, SimSocket& listener) noexcept {
  const auto entry = listeners_.find(address);
  if (entry == listeners_.end()) return;
  std::vector<Listening>& sharing = entry->second;
  const auto own = std::find_if(sharing.begin(), sharing.end(),
                                [&](const Listening& listening) { return listening.listener == &listener; });
  if (own == sharing.end()) return;
  if (!address.local) give_back(address.port);
  sharing.erase(own);
  if (sharing.empty()) listeners_.erase(entry);
}

SimSocket* SimPorts::find_exactly(const SimAddress& address, SimRandom& random) noexcept {
  const auto entry = listeners_.find(address);
  if (entry == listeners_.end()) return nullptr;
  const std::vector<Listening>& sharing = entry->second;
  const std::size_t chosen = sharing.size() == 1 ? 0 : random.below(sharing.size());
  return sharing[chosen].listener;
}

// The most specific one.
SimSocket* SimPorts::find(const SimAddress& address, SimRandom& random) noexcept {
  const SimAddress wanted = address.unmapped();
  SimSocket* found = find_exactly(wanted, random);
  if (wanted.local) return found;
  if (found == nullptr && !wanted.v6) found = find_exactly(wanted.mapped(), random);
  if (found == nullptr && !wanted.v6) found = find_exactly(any_v4(wanted.port), random);
  if (found == nullptr) found = find_exactly(any_v6(wanted.port), random);
  return found;
}

std::uint16_t SimPorts::take_ephemeral() noexcept {
  for (int tries = 0; tries <= kLastEphemeral - kFirstEphemeral; ++tries) {
    const std::uint16_t port = next_ephemeral_;
    next_ephemeral_ = port == kLastEphemeral ? kFirstEphemeral : static_cast<std::uint16_t>(port + 1);
    if (uses_[port] != 0) continue;
    ++uses_[port];
    return port;
  }
  return 0;
}

}  // namespace weft
