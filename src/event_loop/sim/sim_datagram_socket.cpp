// SPDX-License-Identifier: Apache-2.0
// The life of a simulated datagram socket. What moves is in sim_datagram_messages.cpp.
#include "event_loop/sim/sim_datagram_socket.hpp"

#include "event_loop/sim/sim_network.hpp"
#include "event_loop/sim/sim_signal.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weft {

SimDatagramSocket::SimDatagramSocket(std::shared_ptr<SimNetwork> network,
                                     const DatagramParameters& parameters)
    : DescriptorBackend(network.get()), network_(std::move(network)), parameters_(parameters) {
  parameters_.device = {};  // the caller's text
  local_.local = parameters.family == AF_UNIX;
  local_.v6 = parameters.family == AF_INET6;
}

void SimDatagramSocket::open_locked(Descriptor& descriptor) {
  descriptor.backend = this;
  descriptor_ = &descriptor;
  self_ = shared_from_this();
  network_->datagrams_locked().opened(*this);
  network_->count_open_locked(1);
}

DescriptorHandle SimDatagramSocket::handle_locked() const noexcept {
  return {descriptor_, descriptor_->usage.generation()};
}

Result<void> SimDatagramSocket::bind_locked(const SimAddress& wanted) {
  const Result<SimAddress> bound = network_->datagrams_locked().bind(*this, wanted);
  if (!bound) return bound.error();
  local_ = *bound;
  return {};
}

Result<void> SimDatagramSocket::name_peer_locked(const SimAddress& peer) {
  if (peer.local) {
    const std::shared_ptr<SimDatagramSocket> found = network_->datagrams_locked().find_unix(peer);
    const bool is_path = !peer.name.empty() && peer.name.front() != '\0';
    if (found == nullptr) return sys::error_of(is_path ? ENOENT : ECONNREFUSED);
    const std::shared_ptr<SimDatagramSocket> their_peer = found->unix_peer_.lock();
    if (their_peer != nullptr && their_peer.get() != this) return sys::error_of(EPERM);
    unix_peer_ = found;
    peer_ = peer;
    return {};
  }
  if (peer.unmapped().v6 && !local_.v6) return sys::error_of(EAFNOSUPPORT);
  if (local_.port == 0) {
    if (const Result<void> bound = bind_locked(local_); !bound) return bound;
  }
  peer_ = peer.or_loopback();
  return {};
}

void SimDatagramSocket::join_locked(SimDatagramSocket& other) {
  unix_peer_ = other.weak_from_this();
  other.unix_peer_ = weak_from_this();
  peer_ = other.local_;
  other.peer_ = local_;
}

Result<std::size_t> SimDatagramSocket::read(std::span<const iovec> buffers) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = buffers.size();
  return receive_message(message, 0);
}

Result<std::size_t> SimDatagramSocket::write(std::span<const iovec> buffers) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = buffers.size();
  return send_message(message);
}

Result<void> SimDatagramSocket::look(Direction direction) {
  const std::scoped_lock lock(network_->mutex);
  if (pending_error_ != 0) return {};
  if (direction == Direction::kRead) return queue_.empty() ? sys::error_of(EAGAIN) : Result<void>();
  const std::shared_ptr<SimDatagramSocket> target = unix_peer_.lock();
  if (target == nullptr || target->ended_ || target->room_locked() > 0) return {};
  full_ = target;
  return sys::error_of(EAGAIN);
}

Result<void> SimDatagramSocket::shutdown(int) { return Errc::unsupported; }

Result<sys::RawAddress> SimDatagramSocket::local_address() {
  const std::scoped_lock lock(network_->mutex);
  return local_.to_raw();
}

Result<sys::RawAddress> SimDatagramSocket::peer_address() {
  const std::scoped_lock lock(network_->mutex);
  if (!peer_) return sys::error_of(ENOTCONN);
  return seen_locked(*peer_).to_raw();
}

Result<void> SimDatagramSocket::name_peer(const sys::RawAddress& address) {
  const std::scoped_lock lock(network_->mutex);
  if (address.family() == AF_UNSPEC) {
    peer_.reset();
    unix_peer_.reset();
    return {};
  }
  const Result<SimAddress> peer = SimAddress::from_raw(address);
  if (!peer) return peer.error();
  return name_peer_locked(*peer);
}

int SimDatagramSocket::score_locked(const SimAddress& to, const SimAddress& from) const noexcept {
  if (is_unix() || local_.port == 0 || local_.port != to.port) return 0;
  if (!local_.v6 && to.v6) return 0;
  if (local_.v6 && !to.v6 && parameters_.v6_only) return 0;
  if (!local_.is_any() && local_.unmapped() != to) return 0;
  if (peer_ && peer_->unmapped() != from) return 0;
  // With a peer before without, an address before all of them, of its family before both.
  return 1 + (peer_ ? 4 : 0) + (local_.is_any() ? 0 : 2) + (local_.v6 == to.v6 ? 1 : 0);
}

void SimDatagramSocket::end() noexcept {
  const std::shared_ptr<SimNetwork> network = network_;  // outlives the lock, whatever goes below
  std::shared_ptr<SimDatagramSocket> self;               // and this outlives the function
  {
    const std::scoped_lock lock(network->mutex);
    network->datagrams_locked().ended(*this);
    network->count_open_locked(-1);
    descriptor_ = nullptr;
    self = std::exchange(self_, nullptr);
    ended_ = true;
    queue_.clear();
    network->datagrams_locked().sockets().for_each([&](SimDatagramSocket& other) {
      if (other.full_.lock().get() == this)
        network->datagrams_locked().tell_of_room(other.shared_from_this());
    });
  }
  network->sleep.interrupt();  // from another thread: what it has posted is new to the sleeper
}

void SimDatagramSocket::describe_waiters_locked(std::vector<std::string>& lines) {
  if (descriptor_ == nullptr) return;
  const std::string at = local_.to_string() + (peer_ ? ", peer " + peer_->to_string() : "");
  describe_sim_waiters_locked(*descriptor_, "receive datagrams at " + at, "send datagrams from " + at, lines);
}

}  // namespace weft
