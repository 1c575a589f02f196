// SPDX-License-Identifier: Apache-2.0
#pragma once

// One simulated file: a listener, one end of a TCP or Unix connection, or of a pipe. It answers as Linux
// does, down to which error comes first; docs/design/simulation.md has the table.
//
//   listening -> disconnected             shut down for reading
//   connecting -> connected               the SYN-ACK has arrived
//   connecting -> disconnected            refused
//   connected -> disconnected             a reset has arrived
//   any -> ended (`ended_`)               the descriptor's last user has left
//
// Thread safety: members that end in _locked require the network's mutex; end() any thread.
// Lifetime: an open socket keeps itself; it is also kept by its peer, an accept queue, and events on their
// way to it.

#include "base/intrusive_list.hpp"
#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/descriptor/descriptor_backend.hpp"
#include "event_loop/sim/sim_address.hpp"
#include "event_loop/sim/sim_buffer.hpp"
#include "event_loop/sim/sim_event_queue.hpp"
#include "fiber/fiber_queue.hpp"

#include <weft/result.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace weft {

class SimNetwork;
struct Signals;

/// What carries the bytes, which decides how it ends.
enum class SimTransport : std::uint8_t { kTcp, kUnix, kPipe };

class SimSocket final : public DescriptorBackend,
                        public ListNode<>,
                        public std::enable_shared_from_this<SimSocket> {
 public:
  /// A listener at an address that ports know. At most `backlog` + 1 connections wait for accept, as on
  /// Linux.
  SimSocket(std::shared_ptr<SimNetwork> network, std::size_t backlog) noexcept;
  /// A client that has not been answered, if `state` is connecting; else the server's end.
  enum class State : std::uint8_t { kListening, kConnecting, kConnected, kDisconnected };
  SimSocket(std::shared_ptr<SimNetwork> network, SimTransport transport, State state, SimAddress local,
            SimAddress peer, std::int64_t latency_ns) noexcept;

  // -- by operations, which hold no lock
  Result<std::size_t> read(std::span<const iovec> buffers) override;
  Result<std::size_t> write(std::span<const iovec> buffers) override;
  Result<void> look(Direction direction) override;
  Result<void> shutdown(int how) override;
  Result<sys::RawAddress> local_address() override;
  Result<sys::RawAddress> peer_address() override;
  void end() noexcept override;

  /// The socket has a descriptor from now on.
  void open_locked(Descriptor& descriptor);
  void set_local_locked(const SimAddress& local) noexcept { local_ = local; }
  /// Both ends of a connection that nobody had to ask for; of a pipe, `other` is written to.
  void join_locked(SimSocket& other) noexcept;
  SimTransport transport() const noexcept { return transport_; }

  // -- operations: EAGAIN when they would have to wait
  /// 0 is the end of the stream.
  Result<std::size_t> read_locked(std::span<const iovec> buffers);
  Result<std::size_t> write_locked(std::span<const iovec> data);
  Result<std::shared_ptr<SimSocket>> accept_locked();
  Result<void> connect_result_locked() noexcept;
  /// Whether an operation of that direction would not have to wait.
  Result<void> ready_locked(Direction direction) noexcept;
  Result<void> shutdown_locked(int how);
  Result<SimAddress> peer_locked() const noexcept;

  /// Something happens to the socket; the waits that it ends are won. False: nobody had waited for it.
  bool arrive_locked(const SimEvent& event, FiberQueue& won);
  /// A listener: the end of a new connection from `client`, queued for accept. Null: the backlog is full.
  std::shared_ptr<SimSocket> admit_locked(SimSocket& client, FiberQueue& won);

  // -- looking in
  bool ended_locked() const noexcept { return ended_; }
  std::int64_t latency_ns() const noexcept { return latency_ns_; }
  const SimAddress& address_locked() const noexcept { return local_; }
  const SimAddress& peer_address_locked() const noexcept { return peer_address_; }
  /// The handle of an open socket.
  DescriptorHandle handle_locked() const noexcept;
  /// Appends a line for each fiber that waits on the socket.
  void describe_waiters_locked(std::vector<std::string>& lines);

 private:
  Result<std::size_t> take_error_locked() noexcept;
  /// Connected, and not finished in both directions.
  bool alive_locked() const noexcept {
    return state_ == State::kConnected && !(fin_received_ && write_shut_);
  }
  /// Inside of one machine: the other end is gone, which a writer learns at once.
  bool peer_is_gone_locked() const noexcept {
    return transport_ != SimTransport::kTcp && peer_ != nullptr && peer_->ended_;
  }
  bool readable_locked() const noexcept;
  bool writable_locked() const noexcept;
  bool signal_locked(Signals signals, FiberQueue& won) noexcept;
  void note_peer_end_locked(PeerEnd end);
  bool disconnect_locked(int error, FiberQueue& won) noexcept;
  bool acknowledged_locked(std::size_t size, FiberQueue& won) noexcept;
  void end_locked();
  void end_connection_locked();
  void stop_listening_locked();
  void post_to_peer_locked(SimEventKind kind, std::uint64_t amount = 0);
  std::string text_locked(Direction direction) const;

  const std::shared_ptr<SimNetwork> network_;
  const SimTransport transport_ = SimTransport::kTcp;
  const std::int64_t latency_ns_ = 0;

  // Guarded by the network's mutex.
  State state_;
  bool ended_ = false;
  bool holds_port_ = false;      // a client's ephemeral one
  bool accepted_ = false;        // has, or had, a descriptor
  bool fin_received_ = false;    // the peer sends no more
  bool read_shut_ = false;       // reads end after what has arrived
  bool write_shut_ = false;      // writes fail; the peer has been, or will be, told
  bool reads_nothing_ = false;   // the writing end of a pipe
  bool writes_nothing_ = false;  // its reading end
  bool writer_waits_ = false;    // a write found no room since the last acknowledgement
  int pending_error_ = 0;        // an errno for the next operation
  std::size_t arrived_ = 0;      // bytes of inbox_ that can be read
  std::size_t outstanding_ = 0;  // bytes written that the peer has not acknowledged
  SimBuffer inbox_;              // what has arrived, and behind it what is on its way here
  SimAddress local_;
  SimAddress peer_address_;
  std::shared_ptr<SimSocket> peer_;
  std::shared_ptr<SimSocket> self_;   // while open
  Descriptor* descriptor_ = nullptr;  // while open

  // Of a listener.
  std::size_t backlog_ = 0;
  std::deque<std::shared_ptr<SimSocket>> pending_;
};

}  // namespace weft
