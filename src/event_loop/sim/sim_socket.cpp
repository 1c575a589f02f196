// SPDX-License-Identifier: Apache-2.0
// The operations of a simulated socket. What happens to it is in sim_socket_events.cpp.
#include "event_loop/sim/sim_socket.hpp"

#include "event_loop/sim/sim_network.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <algorithm>
#include <utility>

namespace weft {

SimSocket::SimSocket(std::shared_ptr<SimNetwork> network, std::size_t backlog) noexcept
    : DescriptorBackend(network.get()),
      network_(std::move(network)),
      state_(State::kListening),
      write_shut_(true),
      backlog_(backlog) {}

SimSocket::SimSocket(std::shared_ptr<SimNetwork> network, SimTransport transport, State state,
                     SimAddress local, SimAddress peer, std::int64_t latency_ns) noexcept
    : DescriptorBackend(network.get()),
      network_(std::move(network)),
      transport_(transport),
      latency_ns_(latency_ns),
      state_(state),
      holds_port_(state == State::kConnecting && !local.local),
      local_(std::move(local)),
      peer_address_(std::move(peer)) {}

void SimSocket::open_locked(Descriptor& descriptor) {
  descriptor.backend = this;
  descriptor_ = &descriptor;
  descriptor.peer = {.finished = fin_received_, .gone = state_ == State::kDisconnected};
  self_ = shared_from_this();
  accepted_ = true;
  network_->opened_locked(*this);
}

DescriptorHandle SimSocket::handle_locked() const noexcept {
  return {descriptor_, descriptor_->usage.generation()};
}

// An error is reported once. What has arrived is read before it.
Result<std::size_t> SimSocket::take_error_locked() noexcept {
  return sys::error_of(std::exchange(pending_error_, 0));
}

bool SimSocket::readable_locked() const noexcept {
  if (state_ == State::kListening) return !pending_.empty();
  return arrived_ > 0 || pending_error_ != 0 || fin_received_ || read_shut_;
}

bool SimSocket::writable_locked() const noexcept {
  if (state_ == State::kConnecting) return false;
  return pending_error_ != 0 || write_shut_ || peer_is_gone_locked() ||
         outstanding_ < network_->buffer_size();
}

Result<void> SimSocket::ready_locked(Direction direction) noexcept {
  const bool ready = direction == Direction::kRead ? readable_locked() : writable_locked();
  if (ready) return {};
  writer_waits_ |= direction == Direction::kWrite;
  return sys::error_of(EAGAIN);
}

Result<std::size_t> SimSocket::read_locked(std::span<const iovec> buffers) {
  if (state_ == State::kListening) return sys::error_of(ENOTCONN);
  if (reads_nothing_) return sys::error_of(EBADF);
  const std::size_t possible = std::min(sys::total_size(buffers), arrived_);
  if (possible == 0 && arrived_ > 0) return possible;
  if (possible > 0) {
    const std::size_t size = network_->shortened_locked(possible);
    inbox_.take(buffers, size);
    arrived_ -= size;
    post_to_peer_locked(SimEventKind::kAck, size);
    return size;
  }
  if (pending_error_ != 0) return take_error_locked();
  if (fin_received_ || read_shut_) return std::size_t{0};
  return sys::error_of(EAGAIN);
}

Result<std::size_t> SimSocket::write_locked(std::span<const iovec> data) {
  if (writes_nothing_) return sys::error_of(EBADF);
  if (peer_is_gone_locked()) return sys::error_of(EPIPE);
  if (pending_error_ != 0) return take_error_locked();
  if (write_shut_) return sys::error_of(EPIPE);
  const std::size_t possible = std::min(sys::total_size(data), network_->buffer_size() - outstanding_);
  if (possible == 0) {
    writer_waits_ = true;
    return sys::error_of(EAGAIN);
  }
  const std::size_t size = network_->shortened_locked(possible);
  outstanding_ += size;
  // Nobody will read what is sent to a closed end; it is answered with a reset when it gets there.
  if (!peer_->ended_) peer_->inbox_.append(data, size);
  post_to_peer_locked(SimEventKind::kData, size);
  return size;
}

Result<std::shared_ptr<SimSocket>> SimSocket::accept_locked() {
  if (state_ != State::kListening) return sys::error_of(EINVAL);
  if (pending_.empty()) return sys::error_of(EAGAIN);
  if (!network_->room_locked()) return sys::error_of(EMFILE);
  std::shared_ptr<SimSocket> accepted = std::move(pending_.front());
  pending_.pop_front();
  return accepted;
}

Result<void> SimSocket::connect_result_locked() noexcept {
  if (state_ == State::kConnecting) return sys::error_of(EAGAIN);
  // A connection that was made and reset before anybody looked has succeeded: its error is for the first read
  // or write.
  if (state_ == State::kDisconnected && peer_ == nullptr) return take_error_locked().error();
  return {};
}

// As inet_shutdown() of Linux.
Result<void> SimSocket::shutdown_locked(int how) {
  if (transport_ == SimTransport::kPipe) return sys::error_of(ENOTSOCK);
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return sys::error_of(EINVAL);
  if (state_ == State::kListening) {
    if (how != SHUT_WR) stop_listening_locked();
    return {};
  }
  if (!alive_locked()) return sys::error_of(ENOTCONN);
  if (how != SHUT_WR) read_shut_ = true;
  if (how != SHUT_RD && !std::exchange(write_shut_, true)) post_to_peer_locked(SimEventKind::kFin);
  network_->post_locked(SimEventKind::kShut, shared_from_this(), 0);
  return {};
}

void SimSocket::join_locked(SimSocket& other) noexcept {
  peer_ = other.shared_from_this();
  other.peer_ = shared_from_this();
  if (transport_ == SimTransport::kPipe) writes_nothing_ = other.reads_nothing_ = true;
}

Result<SimAddress> SimSocket::peer_locked() const noexcept {
  if (transport_ == SimTransport::kPipe) return sys::error_of(ENOTSOCK);
  if (!alive_locked()) return sys::error_of(ENOTCONN);
  return peer_address_;
}

Result<std::size_t> SimSocket::read(std::span<const iovec> buffers) {
  const std::scoped_lock lock(network_->mutex);
  return read_locked(buffers);
}

Result<std::size_t> SimSocket::write(std::span<const iovec> buffers) {
  const std::scoped_lock lock(network_->mutex);
  return write_locked(buffers);
}

Result<void> SimSocket::look(Direction direction) {
  const std::scoped_lock lock(network_->mutex);
  return ready_locked(direction);
}

Result<void> SimSocket::shutdown(int how) {
  const std::scoped_lock lock(network_->mutex);
  return shutdown_locked(how);
}

Result<sys::RawAddress> SimSocket::local_address() {
  const std::scoped_lock lock(network_->mutex);
  if (transport_ == SimTransport::kPipe) return sys::error_of(ENOTSOCK);
  return local_.to_raw();
}

Result<sys::RawAddress> SimSocket::peer_address() {
  const std::scoped_lock lock(network_->mutex);
  const Result<SimAddress> peer = peer_locked();
  if (!peer) return peer.error();
  return peer->to_raw();
}

void SimSocket::post_to_peer_locked(SimEventKind kind, std::uint64_t amount) {
  if (peer_ != nullptr) network_->post_locked(kind, peer_, latency_ns_, amount);
}

}  // namespace weft
