// SPDX-License-Identifier: Apache-2.0
// What happens to a simulated socket: arrivals, and its end.
#include "event_loop/sim/sim_network.hpp"
#include "event_loop/sim/sim_signal.hpp"
#include "event_loop/sim/sim_socket.hpp"
#include "sys/errors.hpp"

#include <mutex>

namespace weft {
namespace {

constexpr Signals kReadable{.read = true, .write = false, .unusual = false, .hang_up = false};
constexpr Signals kWritable{.read = false, .write = true, .unusual = false, .hang_up = false};
constexpr Signals kPeerFinished{.read = true, .write = false, .unusual = true, .hang_up = false};
constexpr Signals kHangUp{.read = true, .write = true, .unusual = true, .hang_up = true};

}  // namespace

// True if somebody was woken. Sockets that wait in an accept queue have no descriptor yet, and nobody to
// wake.
bool SimSocket::signal_locked(Signals signals, FiberQueue& won) noexcept {
  if (descriptor_ == nullptr) return true;
  return sim_signal_locked(*descriptor_, signals, won);
}

bool SimSocket::arrive_locked(const SimEvent& event, FiberQueue& won) {
  if (ended_) {
    if (event.kind == SimEventKind::kData) post_to_peer_locked(SimEventKind::kReset);
    return false;
  }
  switch (event.kind) {
    case SimEventKind::kSyn: break;  // the network's: it looks for the listener
    case SimEventKind::kSynAck: state_ = State::kConnected; return signal_locked(kWritable, won);
    case SimEventKind::kRefusal: return disconnect_locked(static_cast<int>(event.amount), won);
    case SimEventKind::kData: arrived_ += event.amount; return signal_locked(kReadable, won);
    case SimEventKind::kAck: return acknowledged_locked(event.amount, won);
    case SimEventKind::kFin:
      fin_received_ = true;
      note_peer_end_locked(PeerEnd::kFinished);
      return signal_locked(kPeerFinished, won);
    // A peer that had finished sending resets by having closed: to Linux, a broken pipe.
    case SimEventKind::kReset:
      return disconnect_locked(fin_received_ || reads_nothing_ ? EPIPE : ECONNRESET, won);
    case SimEventKind::kShut: return signal_locked(kHangUp, won);
  }
  WEFT_PANIC("a simulated socket met an event that is not a socket's", WEFT_VALUE(event.amount));
}

void SimSocket::note_peer_end_locked(PeerEnd end) {
  if (descriptor_ != nullptr) network_->peer_ended_locked({handle_locked(), end});
}

bool SimSocket::disconnect_locked(int error, FiberQueue& won) noexcept {
  if (state_ == State::kDisconnected) return true;
  state_ = State::kDisconnected;
  pending_error_ = error;
  read_shut_ = write_shut_ = true;
  note_peer_end_locked(PeerEnd::kReset);
  return signal_locked(kHangUp, won);
}

bool SimSocket::acknowledged_locked(std::size_t size, FiberQueue& won) noexcept {
  outstanding_ -= size;
  return !std::exchange(writer_waits_, false) || signal_locked(kWritable, won);
}

std::shared_ptr<SimSocket> SimSocket::admit_locked(SimSocket& client, FiberQueue& won) {
  if (pending_.size() > backlog_) return nullptr;
  // A listener of both families sees IPv4 as mapped addresses; one of IPv4 sees mapped addresses as IPv4.
  const auto seen = [this](const SimAddress& address) {
    return local_.v6 ? address.mapped() : address.unmapped();
  };
  auto server =
      std::make_shared<SimSocket>(network_, client.transport_, State::kConnected, seen(client.peer_address_),
                                  seen(client.local_), client.latency_ns_);
  server->peer_ = client.shared_from_this();
  client.peer_ = server;
  pending_.push_back(server);
  signal_locked(kReadable, won);
  return server;
}

void SimSocket::end() noexcept {
  const std::shared_ptr<SimNetwork> network = network_;  // outlives the lock, whatever goes below
  std::shared_ptr<SimSocket> self;                       // and this outlives the function
  {
    std::scoped_lock lock(network->mutex);
    network->ended_locked(*this);
    descriptor_ = nullptr;
    self = std::exchange(self_, nullptr);
    end_locked();
  }
  network->sleep.interrupt();  // from another thread: the peers' events are new to the sleeper
}

void SimSocket::end_locked() {
  ended_ = true;
  if (state_ == State::kListening) stop_listening_locked();
  if (holds_port_) network_->ports_locked().give_back(local_.port);
  end_connection_locked();
}

// As close() of Linux: what was received and not read is an error of the peer's, which must not think that it
// arrived; so is a connection that nobody has accepted.
void SimSocket::end_connection_locked() {
  if (peer_ == nullptr) return;
  const bool unheard = transport_ == SimTransport::kPipe ? writes_nothing_ : arrived_ > 0 || !accepted_;
  if (state_ == State::kConnecting || (state_ == State::kConnected && unheard)) {
    post_to_peer_locked(SimEventKind::kReset);
  } else if (state_ == State::kConnected && !write_shut_) {
    post_to_peer_locked(SimEventKind::kFin);
  }
  if (!peer_->ended_) return;  // the peer still needs this end to answer
  peer_->peer_ = nullptr;
  peer_ = nullptr;
}

void SimSocket::stop_listening_locked() {
  network_->ports_locked().unbind(local_, *this);
  state_ = State::kDisconnected;
  const std::deque<std::shared_ptr<SimSocket>> refused = std::exchange(pending_, {});
  for (const std::shared_ptr<SimSocket>& connection : refused) connection->end_locked();
  if (!ended_) network_->post_locked(SimEventKind::kShut, shared_from_this(), 0);
}

void SimSocket::describe_waiters_locked(std::vector<std::string>& lines) {
  if (descriptor_ == nullptr) return;
  describe_sim_waiters_locked(*descriptor_, text_locked(Direction::kRead), text_locked(Direction::kWrite),
                              lines);
}

std::string SimSocket::text_locked(Direction direction) const {
  if (state_ == State::kListening) return "accept at " + local_.to_string();
  const std::string ends = local_.to_string() + ", peer " + peer_address_.to_string();
  if (state_ == State::kConnecting) return "connect " + ends;
  return (direction == Direction::kRead ? "read " : "write ") + ends;
}

}  // namespace weft
