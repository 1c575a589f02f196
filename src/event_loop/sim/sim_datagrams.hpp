// SPDX-License-Identifier: Apache-2.0
#pragma once

// The datagrams of a simulated network: who is bound where, what is on its way, and what happens to it.
//
// Not thread-safe: guarded by the network's mutex.

#include "event_loop/sim/sim_datagram_options.hpp"
#include "event_loop/sim/sim_datagram_socket.hpp"
#include "event_loop/sim/sim_event_queue.hpp"

#include <weft/result.hpp>

#include <map>

namespace weft {

class SimDatagrams {
 public:
  SimDatagrams(SimNetwork& network, const SimDatagramOptions& options) noexcept
      : network_(network), options_(options) {}

  // -- names
  /// The address that the socket gets, with a port if it asked for port 0. EADDRINUSE.
  Result<SimAddress> bind(const SimDatagramSocket& socket, const SimAddress& wanted);
  /// The Unix socket of that name; null: nobody.
  std::shared_ptr<SimDatagramSocket> find_unix(const SimAddress& name);
  void opened(SimDatagramSocket& socket) { sockets_.push_back(socket); }
  void ended(SimDatagramSocket& socket) noexcept { sockets_.remove(socket); }
  IntrusiveList<SimDatagramSocket>& sockets() noexcept { return sockets_; }

  // -- the wire
  std::size_t size_max() const noexcept { return options_.size_max; }
  std::size_t queue_size() const noexcept { return options_.queue_size; }
  /// To whoever has the address when it arrives, if it does.
  void send(const std::shared_ptr<SimDatagramSocket>& from, const SimDatagram& datagram);
  /// Of Unix: to that socket, without delay and without loss.
  void send_to(const std::shared_ptr<SimDatagramSocket>& target, const SimDatagram& datagram);
  void tell_of_room(const std::shared_ptr<SimDatagramSocket>& waiting);

  /// When deliver() has something to do.
  std::int64_t next_ns() const noexcept;
  /// Lets everything arrive that is due. Returns how much it was.
  std::size_t deliver(std::int64_t now_ns, FiberQueue& won, std::size_t& unawaited);
  /// Nothing arrives any more; what was on its way is returned, to be destroyed without the mutex.
  struct Arrival;
  using Arrivals = std::multimap<std::int64_t, Arrival>;
  Arrivals stop() noexcept;

 private:
  void schedule(const std::shared_ptr<SimDatagramSocket>& from, const SimDatagram& datagram);
  void post(std::int64_t time_ns, Arrival arrival);
  bool arrive(const Arrival& arrival, FiberQueue& won);
  bool deliver_to_all(const SimDatagram& datagram, FiberQueue& won);
  SimDatagramSocket* best_for(const SimDatagram& datagram);
  bool conflicts(const SimDatagramSocket& socket, const SimAddress& wanted);

  SimNetwork& network_;
  const SimDatagramOptions options_;
  IntrusiveList<SimDatagramSocket> sockets_;  // in the order of their opening
  Arrivals arrivals_;                         // of equal times in the order of their sending
  std::uint16_t next_port_ = 32768;
  bool stopped_ = false;
};

struct SimDatagrams::Arrival {
  enum class Kind : std::uint8_t { kDatagram, kToSocket, kRefusal, kRoom };
  Kind kind = Kind::kDatagram;
  std::shared_ptr<SimDatagramSocket> socket;  // the sender of a datagram, else whom it is for
  SimDatagram datagram;
};

}  // namespace weft
