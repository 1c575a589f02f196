// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_network.hpp"

#include "base/panic.hpp"
#include "base/saturating.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
/// A request that finds the backlog full is lost, and repeated after 1, 2, 4 ... seconds, as on Linux.
constexpr std::uint64_t kSynRetriesMax = 6;
/// How often a Unix socket looks for room in the backlog, as net/kernel_network.cpp does at first.
constexpr std::int64_t kRoomPauseNs = 1'000'000;

}  // namespace

SimNetwork::SimNetwork(const SimOptions& options)
    : buffer_size_(options.buffer_size),
      descriptors_max_(options.descriptors_max),
      latency_min_ns_(options.latency_min_ns),
      latency_max_ns_(std::max(options.latency_min_ns, options.latency_max_ns)),
      short_counts_percent_(options.short_counts_percent),
      files_(std::make_shared<SimFiles>(options)),
      names_(options.names),
      black_holes_(options.black_holes),
      time_ns_(options.start_ns),
      random_(options.seed),
      datagrams_(*this, options.datagrams) {
  WEFT_ASSERT(buffer_size_ > 0, "a simulated stream without a buffer");
  WEFT_ASSERT(latency_min_ns_ >= 0, "a simulated latency below 0", WEFT_VALUE(latency_min_ns_));
}

Result<std::shared_ptr<SimSocket>> SimNetwork::listen_locked(const SimAddress& address,
                                                             const ListenParameters& parameters) {
  if (!room_locked()) return sys::error_of(EMFILE);
  const auto backlog = static_cast<std::size_t>(std::max(parameters.backlog, 0));
  const auto listener = std::make_shared<SimSocket>(shared_from_this(), backlog);
  const Result<SimAddress> bound = ports_.bind(address, parameters.reuse_port, *listener);
  if (!bound) return bound.error();
  listener->set_local_locked(*bound);
  return listener;
}

Result<std::shared_ptr<SimSocket>> SimNetwork::connect_locked(const SimAddress& address) {
  if (!room_locked()) return sys::error_of(EMFILE);
  if (address.local) return connect_local_locked(address);
  const SimAddress server = address.or_loopback();
  const std::uint16_t port = ports_.take_ephemeral();
  if (port == 0) return sys::error_of(EADDRNOTAVAIL);
  const auto client =
      std::make_shared<SimSocket>(shared_from_this(), SimTransport::kTcp, SimSocket::State::kConnecting,
                                  server.with_port(port), server, drawn_latency_locked());
  post_locked(SimEventKind::kSyn, client, client->latency_ns());
  return client;
}

// As on Linux, a name that nobody has is known at once. Inside of a machine nothing takes time.
Result<std::shared_ptr<SimSocket>> SimNetwork::connect_local_locked(const SimAddress& address) {
  if (ports_.find(address, random_) == nullptr) {
    const bool is_path = !address.name.empty() && address.name.front() != '\0';
    return sys::error_of(is_path ? ENOENT : ECONNREFUSED);
  }
  SimAddress unnamed;
  unnamed.local = true;
  const auto client = std::make_shared<SimSocket>(shared_from_this(), SimTransport::kUnix,
                                                  SimSocket::State::kConnecting, unnamed, address, 0);
  post_locked(SimEventKind::kSyn, client, 0);
  return client;
}

std::int64_t SimNetwork::drawn_latency_locked() noexcept {
  if (latency_min_ns_ == latency_max_ns_) return latency_min_ns_;
  const auto range = static_cast<std::uint64_t>(latency_max_ns_ - latency_min_ns_);
  return latency_min_ns_ + static_cast<std::int64_t>(random_.below(range + 1));
}

std::size_t SimNetwork::shortened_locked(std::size_t size) noexcept {
  if (size == 1 || !random_.chance(short_counts_percent_)) return size;
  return 1 + random_.below(size);
}

void SimNetwork::post_locked(SimEventKind kind, const std::shared_ptr<SimSocket>& target,
                             std::int64_t delay_ns, std::uint64_t amount) {
  if (stopped_) return;
  events_.push({.time_ns = saturating_add(time_ns_, delay_ns),
                .sequence = 0,
                .kind = kind,
                .target = target,
                .amount = amount});
}

void SimNetwork::advance_to(std::int64_t time_ns) {
  std::scoped_lock lock(mutex);
  time_ns_ = std::max(time_ns_, time_ns);
}

std::int64_t SimNetwork::next_ns() {
  std::scoped_lock lock(mutex);
  return std::min(events_.next_ns(), datagrams_.next_ns());
}

std::size_t SimNetwork::deliver(FiberQueue& won, std::size_t& unawaited) {
  std::size_t count = 0;
  std::scoped_lock lock(mutex);
  for (; events_.next_ns() <= time_ns_; ++count) {
    const SimEvent event = events_.pop();
    mix_locked(static_cast<std::uint64_t>(event.time_ns));
    mix_locked(static_cast<std::uint64_t>(event.kind) << 48 ^ event.amount);
    mix_locked(std::uint64_t{event.target->address_locked().port} << 16 ^
               event.target->peer_address_locked().port);
    if (event.kind == SimEventKind::kSyn) {
      syn_arrives_locked(event, won);
    } else if (!event.target->arrive_locked(event, won)) {
      ++unawaited;
    }
  }
  return count + datagrams_.deliver(time_ns_, won, unawaited);
}

std::vector<SimEndedPeer> SimNetwork::take_ended_peers() {
  std::scoped_lock lock(mutex);
  return std::exchange(ended_peers_, {});
}

void SimNetwork::syn_arrives_locked(const SimEvent& event, FiberQueue& won) {
  SimSocket& client = *event.target;
  if (client.ended_locked()) return;  // it was cancelled or timed out on the way
  if (is_black_hole(client.peer_address_locked())) return lose_syn_locked(event);
  SimSocket* const listener = ports_.find(client.peer_address_locked(), random_);
  if (listener == nullptr) return refuse_locked(event.target, ECONNREFUSED);
  if (listener->admit_locked(client, won)) {
    post_locked(SimEventKind::kSynAck, event.target, client.latency_ns());
  } else if (client.transport() == SimTransport::kUnix) {
    post_locked(SimEventKind::kSyn, event.target, kRoomPauseNs, event.amount);
  } else {
    lose_syn_locked(event);
  }
}

void SimNetwork::lose_syn_locked(const SimEvent& event) {
  if (event.amount == kSynRetriesMax) {
    post_locked(SimEventKind::kRefusal, event.target, kSecondNs << event.amount, ETIMEDOUT);
  } else {
    post_locked(SimEventKind::kSyn, event.target, kSecondNs << event.amount, event.amount + 1);
  }
}

bool SimNetwork::is_black_hole(const SimAddress& address) const {
  if (black_holes_.empty()) return false;
  return std::find(black_holes_.begin(), black_holes_.end(), address.to_string()) != black_holes_.end();
}

void SimNetwork::refuse_locked(const std::shared_ptr<SimSocket>& client, int error) {
  post_locked(SimEventKind::kRefusal, client, client->latency_ns(), static_cast<std::uint64_t>(error));
}

void SimNetwork::opened_locked(SimSocket& socket) {
  ++open_count_;
  sockets_.push_back(socket);
}

void SimNetwork::ended_locked(SimSocket& socket) noexcept {
  --open_count_;
  sockets_.remove(socket);
}

std::vector<DescriptorHandle> SimNetwork::stop() {
  std::vector<DescriptorHandle> open;
  // Destroyed without the mutex: they may be the last to keep their targets.
  std::vector<SimEvent> dropped;
  SimDatagrams::Arrivals dropped_datagrams;
  std::scoped_lock lock(mutex);
  stopped_ = true;
  dropped = events_.take_all();
  dropped_datagrams = datagrams_.stop();
  sockets_.for_each([&](SimSocket& socket) { open.push_back(socket.handle_locked()); });
  datagrams_.sockets().for_each([&](SimDatagramSocket& socket) { open.push_back(socket.handle_locked()); });
  return open;
}

}  // namespace weft
