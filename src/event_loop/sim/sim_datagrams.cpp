// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_datagrams.hpp"

#include "base/saturating.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/sim/sim_network.hpp"
#include "event_loop/sim/sim_ports.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weft {
namespace {

// Some datagram could be for either of them.
bool overlap(const SimDatagramSocket& a, const SimAddress& at, bool v6_only) noexcept {
  const SimAddress& other = a.address_locked();
  if (other.port != at.port) return false;
  const bool one_is_any = other.is_any() || at.is_any();
  if (!one_is_any) return other.unmapped() == at.unmapped();
  if (other.v6 == at.v6) return true;
  return other.v6 ? !a.parameters().v6_only : !v6_only;
}

}  // namespace

bool SimDatagrams::conflicts(const SimDatagramSocket& socket, const SimAddress& wanted) {
  const DatagramParameters& own = socket.parameters();
  bool found = false;
  sockets_.for_each([&](SimDatagramSocket& other) {
    if (&other == &socket || other.is_unix() || !overlap(other, wanted, own.v6_only)) return;
    const DatagramParameters& its = other.parameters();
    found |= !(own.reuse_address && its.reuse_address) && !(own.reuse_port && its.reuse_port);
  });
  return found;
}

Result<SimAddress> SimDatagrams::bind(const SimDatagramSocket& socket, const SimAddress& wanted) {
  if (wanted.local) {
    if (find_unix(wanted) != nullptr) return sys::error_of(EADDRINUSE);
    return wanted;
  }
  if (wanted.port != 0)
    return conflicts(socket, wanted) ? sys::error_of(EADDRINUSE) : Result<SimAddress>(wanted);
  for (int tries = 0; tries <= SimPorts::kLastEphemeral - SimPorts::kFirstEphemeral; ++tries) {
    const std::uint16_t port = next_port_;
    next_port_ =
        port == SimPorts::kLastEphemeral ? SimPorts::kFirstEphemeral : static_cast<std::uint16_t>(port + 1);
    bool taken = false;
    sockets_.for_each([&](SimDatagramSocket& other) { taken |= other.address_locked().port == port; });
    if (!taken) return wanted.with_port(port);
  }
  return sys::error_of(EADDRINUSE);
}

std::shared_ptr<SimDatagramSocket> SimDatagrams::find_unix(const SimAddress& name) {
  std::shared_ptr<SimDatagramSocket> found;
  if (name.name.empty()) return found;
  sockets_.for_each([&](SimDatagramSocket& socket) {
    if (socket.is_unix() && socket.address_locked() == name) found = socket.shared_from_this();
  });
  return found;
}

void SimDatagrams::send(const std::shared_ptr<SimDatagramSocket>& from, const SimDatagram& datagram) {
  SimRandom& random = network_.random_locked();
  if (random.chance(options_.loss_percent)) return;
  schedule(from, datagram);
  if (random.chance(options_.duplicate_percent)) schedule(from, datagram);
}

void SimDatagrams::schedule(const std::shared_ptr<SimDatagramSocket>& from, const SimDatagram& datagram) {
  SimRandom& random = network_.random_locked();
  std::int64_t time_ns = saturating_add(network_.time_ns(), network_.drawn_latency_locked());
  if (options_.reorder_delay_ns > 0 && random.chance(options_.reorder_percent)) {
    const auto range = static_cast<std::uint64_t>(options_.reorder_delay_ns);
    time_ns = saturating_add(time_ns, 1 + static_cast<std::int64_t>(random.below(range)));
  } else {
    time_ns = std::max(time_ns, from->last_arrival_ns_locked());
    from->last_arrival_ns_locked() = time_ns;
  }
  post(time_ns, {Arrival::Kind::kDatagram, from, datagram});
}

void SimDatagrams::send_to(const std::shared_ptr<SimDatagramSocket>& target, const SimDatagram& datagram) {
  post(network_.time_ns(), {Arrival::Kind::kToSocket, target, datagram});
}

void SimDatagrams::tell_of_room(const std::shared_ptr<SimDatagramSocket>& waiting) {
  post(network_.time_ns(), {Arrival::Kind::kRoom, waiting, {}});
}

void SimDatagrams::post(std::int64_t time_ns, Arrival arrival) {
  if (!stopped_) arrivals_.emplace(time_ns, std::move(arrival));
}

std::int64_t SimDatagrams::next_ns() const noexcept {
  return arrivals_.empty() ? SimEventQueue::kNever : arrivals_.begin()->first;
}

SimDatagrams::Arrivals SimDatagrams::stop() noexcept {
  stopped_ = true;
  return std::exchange(arrivals_, {});
}

std::size_t SimDatagrams::deliver(std::int64_t now_ns, FiberQueue& won, std::size_t& unawaited) {
  std::size_t count = 0;
  for (; next_ns() <= now_ns; ++count) {
    const Arrivals::node_type due = arrivals_.extract(arrivals_.begin());
    const SimDatagram& datagram = due.mapped().datagram;
    network_.mix_locked(static_cast<std::uint64_t>(due.key()));
    network_.mix_locked(std::uint64_t{datagram.from.port} << 16 ^ datagram.to.port ^
                        static_cast<std::uint64_t>(datagram.bytes.size()) << 32);
    if (!arrive(due.mapped(), won)) ++unawaited;
  }
  return count;
}

bool SimDatagrams::arrive(const Arrival& arrival, FiberQueue& won) {
  const SimDatagram& datagram = arrival.datagram;
  switch (arrival.kind) {
    case Arrival::Kind::kToSocket: return arrival.socket->arrive_locked(datagram, won);
    case Arrival::Kind::kRefusal: return arrival.socket->refused_locked(datagram.to, won);
    case Arrival::Kind::kRoom: return arrival.socket->room_came_locked(won);
    case Arrival::Kind::kDatagram: break;
  }
  if (datagram.to.is_multicast() || datagram.to.is_broadcast()) return deliver_to_all(datagram, won);
  if (SimDatagramSocket* const socket = best_for(datagram)) return socket->arrive_locked(datagram, won);
  const std::int64_t back_ns = saturating_add(network_.time_ns(), network_.drawn_latency_locked());
  post(back_ns, {Arrival::Kind::kRefusal, arrival.socket, {datagram.from, datagram.to, {}, 0}});
  return false;
}

bool SimDatagrams::deliver_to_all(const SimDatagram& datagram, FiberQueue& won) {
  bool awaited = false;
  sockets_.for_each([&](SimDatagramSocket& socket) {
    const SimAddress& at = socket.address_locked();
    const bool fits =
        !socket.is_unix() && at.port == datagram.to.port && (at.is_any() || at.unmapped() == datagram.to);
    if (!fits || (datagram.to.is_multicast() && !socket.is_member_locked(datagram.to))) return;
    awaited |= socket.arrive_locked(datagram, won);
  });
  return awaited;
}

// Of several that fit as well, sharing the address, the last one; sharing the port, a drawn one.
SimDatagramSocket* SimDatagrams::best_for(const SimDatagram& datagram) {
  std::vector<SimDatagramSocket*> best;
  int best_score = 1;
  sockets_.for_each([&](SimDatagramSocket& socket) {
    const int score = socket.score_locked(datagram.to, datagram.from);
    if (score < best_score) return;
    if (score > best_score) best.clear();
    best_score = score;
    best.push_back(&socket);
  });
  if (best.empty()) return nullptr;
  if (!best.back()->parameters().reuse_port || best.size() == 1) return best.back();
  return best[network_.random_locked().below(best.size())];
}

// -- what fibers open -------------------------------------------------------------------------------------

Result<DescriptorHandle> SimNetwork::open(const std::shared_ptr<SimDatagramSocket>& socket) {
  Descriptor* const descriptor = DescriptorArena::instance().allocate(-1, DescriptorKind::kSimulated);
  WEFT_ASSERT(descriptor != nullptr, "no memory for the descriptor of a simulated socket");
  {
    const std::scoped_lock lock(mutex);
    socket->open_locked(*descriptor);
  }
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  return handle;
}

Result<DescriptorHandle> SimNetwork::open_datagram(const DatagramParameters& parameters) {
  if (!parameters.device.empty()) return Errc::unsupported;
  const auto socket = std::make_shared<SimDatagramSocket>(shared_from_this(), parameters);
  const auto prepare = [&]() -> Result<void> {
    const std::scoped_lock lock(mutex);
    if (!room_locked()) return sys::error_of(EMFILE);
    for (const bool local : std::array{true, false}) {
      const std::optional<sys::RawAddress>& raw = local ? parameters.local : parameters.peer;
      if (!raw) continue;
      const Result<SimAddress> address = SimAddress::from_raw(*raw);
      if (!address) return address.error();
      const Result<void> done = local ? socket->bind_locked(*address) : socket->name_peer_locked(*address);
      if (!done) return done;
    }
    return {};
  };
  if (const Result<void> prepared = prepare(); !prepared) return prepared.error();
  return open(socket);
}

Result<DescriptorPair> SimNetwork::make_datagram_pair() {
  const DatagramParameters parameters{.family = AF_UNIX};
  const auto first = std::make_shared<SimDatagramSocket>(shared_from_this(), parameters);
  const auto second = std::make_shared<SimDatagramSocket>(shared_from_this(), parameters);
  {
    const std::scoped_lock lock(mutex);
    if (open_count_ + 2 > descriptors_max_) return sys::error_of(EMFILE);
    first->join_locked(*second);
  }
  return DescriptorPair{open(first).value(), open(second).value()};
}

}  // namespace weft
