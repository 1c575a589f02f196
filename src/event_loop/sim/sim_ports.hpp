// SPDX-License-Identifier: Apache-2.0
#pragma once

// The addresses of a simulated network: who listens where, and which ports are taken. Every address can be
// bound and connected to, they are all this host's.
//
// Not thread-safe: guarded by the network's lock.

#include "event_loop/sim/sim_address.hpp"
#include "event_loop/sim/sim_random.hpp"

#include <weft/result.hpp>

#include <cstdint>
#include <map>
#include <vector>

namespace weft {

class SimSocket;

class SimPorts {
 public:
  /// The range Linux takes ephemeral ports from.
  static constexpr std::uint16_t kFirstEphemeral = 32768;
  static constexpr std::uint16_t kLastEphemeral = 60999;

  /// Has `listener` listen at `address`: the one it got, with a port if it asked for port 0. EADDRINUSE if
  /// somebody else listens at an address that has any in common, unless both share the port.
  Result<SimAddress> bind(SimAddress address, bool reuse_port, SimSocket& listener);
  void unbind(const SimAddress& address, SimSocket& listener) noexcept;

  /// Who listens for connections to `address`; of several who share it, one that is drawn. Null: nobody.
  SimSocket* find(const SimAddress& address, SimRandom& random) noexcept;

  /// A port that nobody has, to be given back; 0 when there is none left.
  std::uint16_t take_ephemeral() noexcept;
  void give_back(std::uint16_t port) noexcept { --uses_[port]; }

 private:
  struct Listening {
    SimSocket* listener;
    bool reuse_port;
  };
  using Listeners = std::map<SimAddress, std::vector<Listening>>;

  bool may_bind(const SimAddress& address, bool reuse_port) const noexcept;
  SimSocket* find_exactly(const SimAddress& address, SimRandom& random) noexcept;

  Listeners listeners_;
  std::vector<std::uint32_t> uses_ = std::vector<std::uint32_t>(65536);  // sockets that have each port
  std::uint16_t next_ephemeral_ = kFirstEphemeral;
};

}  // namespace weft
