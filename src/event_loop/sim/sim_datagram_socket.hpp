// SPDX-License-Identifier: Apache-2.0
#pragma once

// One simulated datagram socket, of IP or of Unix. It answers as Linux does; docs/design/simulation.md has
// what the network does to datagrams.
//
// Thread safety: members that end in _locked require the network's mutex; end() any thread.
// Lifetime: an open socket keeps itself; it is also kept by what is on its way to it.

#include "base/intrusive_list.hpp"
#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/descriptor/descriptor_backend.hpp"
#include "event_loop/network.hpp"
#include "event_loop/sim/sim_address.hpp"
#include "event_loop/sim/sim_datagram_options.hpp"
#include "fiber/fiber_queue.hpp"

#include <weft/result.hpp>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace weft {

class SimNetwork;
struct Signals;

struct SimDatagram {
  SimAddress from;
  SimAddress to;
  std::vector<std::byte> bytes;
  int traffic_class = 0;
};

/// Options of a socket that are numbers, by level and name.
class SimSocketOptions {
 public:
  /// ENOPROTOOPT for one that is not known.
  Result<void> set(int level, int name, int value);
  Result<int> get(int level, int name) const;
  /// 0 if it was never set.
  int value(int level, int name) const noexcept;

 private:
  std::map<std::pair<int, int>, int> values_;
};

class SimDatagramSocket final : public DescriptorBackend,
                                public ListNode<>,
                                public std::enable_shared_from_this<SimDatagramSocket> {
 public:
  SimDatagramSocket(std::shared_ptr<SimNetwork> network, const DatagramParameters& parameters);

  // -- by operations, which hold no lock
  Result<std::size_t> read(std::span<const iovec> buffers) override;
  Result<std::size_t> write(std::span<const iovec> buffers) override;
  Result<void> look(Direction direction) override;
  Result<void> shutdown(int how) override;
  Result<sys::RawAddress> local_address() override;
  Result<sys::RawAddress> peer_address() override;
  Result<std::size_t> receive_message(msghdr& message, int flags) override;
  Result<std::size_t> send_message(const msghdr& message) override;
  Result<void> name_peer(const sys::RawAddress& address) override;
  Result<void> set_option(int level, int name, std::span<const std::byte> value) override;
  Result<int> option(int level, int name) override;
  void end() noexcept override;

  // -- opening (sim_datagrams.cpp)
  void open_locked(Descriptor& descriptor);
  DescriptorHandle handle_locked() const noexcept;
  Result<void> bind_locked(const SimAddress& wanted);
  Result<void> name_peer_locked(const SimAddress& peer);
  /// Both ends of a pair of Unix.
  void join_locked(SimDatagramSocket& other);

  // -- arrivals (sim_datagram_messages.cpp)
  /// False: nobody had waited for it.
  bool arrive_locked(const SimDatagram& datagram, FiberQueue& won);
  /// Nobody is there where it has sent to, which only a socket with a peer is told.
  bool refused_locked(const SimAddress& by, FiberQueue& won);
  /// There is room again where it sends to.
  bool room_came_locked(FiberQueue& won);

  // -- looking in
  bool ended_locked() const noexcept { return ended_; }
  bool is_unix() const noexcept { return local_.local; }
  const SimAddress& address_locked() const noexcept { return local_; }
  const DatagramParameters& parameters() const noexcept { return parameters_; }
  /// How well it fits what `from` has sent to `to`; 0: not at all.
  int score_locked(const SimAddress& to, const SimAddress& from) const noexcept;
  bool is_member_locked(const SimAddress& group) const noexcept {
    return groups_.contains(group.with_port(0));
  }
  std::int64_t& last_arrival_ns_locked() noexcept { return last_arrival_ns_; }
  void describe_waiters_locked(std::vector<std::string>& lines);

 private:
  Result<std::size_t> receive_locked(msghdr& message, int flags);
  Result<std::size_t> send_locked(const msghdr& message);
  Result<std::size_t> send_ip_locked(const msghdr& message, SimAddress to);
  Result<std::size_t> send_unix_locked(const msghdr& message);
  Result<std::shared_ptr<SimDatagramSocket>> unix_target_locked(const msghdr& message);
  Result<SimAddress> ip_target_locked(const msghdr& message);
  void add_control_locked(const SimDatagram& datagram, msghdr& message) const;
  SimAddress seen_locked(const SimAddress& address) const;
  Result<void> change_membership_locked(int level, int name, std::span<const std::byte> value);
  std::size_t room_locked() const noexcept;

  const std::shared_ptr<SimNetwork> network_;
  DatagramParameters parameters_;  // fixed

  // Guarded by the network's mutex.
  bool ended_ = false;
  int pending_error_ = 0;
  SimAddress local_;
  std::optional<SimAddress> peer_;
  std::weak_ptr<SimDatagramSocket> unix_peer_;
  std::weak_ptr<SimDatagramSocket> full_;  // of Unix: where a send found no room
  std::size_t queued_size_ = 0;
  std::size_t on_the_way_ = 0;  // of Unix: sent to it, not yet in its queue
  std::deque<SimDatagram> queue_;
  SimSocketOptions options_;
  std::set<SimAddress> groups_;
  std::int64_t last_arrival_ns_ = 0;
  std::shared_ptr<SimDatagramSocket> self_;  // while open
  Descriptor* descriptor_ = nullptr;         // while open
};

}  // namespace weft
