// SPDX-License-Identifier: Apache-2.0
#pragma once

// A simulated network: virtual time, what is on its way, and the sockets. docs/design/simulation.md.
//
// Nothing that one socket does changes another at once: it posts an event, which arrives later, in deliver(),
// the one place where sockets learn of each other and waiters are woken.
//
// Thread safety: members that end in _locked require `mutex`; operations and deliver() are called by the
// driving thread, a socket's end by any. A std::mutex, as allocations are made under it. Order: this,
// descriptor, timers, queue. Lifetime: shared by the loop and its sockets, so a handle that outlives the loop
// can still be closed.

#include "base/intrusive_list.hpp"
#include "event_loop/network.hpp"
#include "event_loop/sim/sim_datagrams.hpp"
#include "event_loop/sim/sim_event_queue.hpp"
#include "event_loop/sim/sim_files.hpp"
#include "event_loop/sim/sim_options.hpp"
#include "event_loop/sim/sim_ports.hpp"
#include "event_loop/sim/sim_random.hpp"
#include "event_loop/sim/sim_sleep.hpp"
#include "event_loop/sim/sim_socket.hpp"

#include <mutex>

namespace weft {

/// What an arrival has said of a socket's peer; those who watch it are told without the mutex.
struct SimEndedPeer {
  DescriptorHandle socket;
  PeerEnd end = PeerEnd::kFinished;
};

class SimNetwork final : public Network, public std::enable_shared_from_this<SimNetwork> {
 public:
  explicit SimNetwork(const SimOptions& options);

  // -- what fibers open (sim_sockets.cpp)
  Result<DescriptorHandle> listen(const sys::RawAddress& address, const ListenParameters&) override;
  Result<DescriptorHandle> connect(const sys::RawAddress& address, Deadline) override;
  Result<Accepted> accept(DescriptorHandle, Deadline) override;
  Result<Accepted> try_accept(DescriptorHandle) override;
  Result<DescriptorPair> make_socket_pair() override;
  Result<DescriptorPair> make_pipe() override;
  Result<DescriptorHandle> open_datagram(const DatagramParameters&) override;  // sim_datagrams.cpp
  Result<DescriptorPair> make_datagram_pair() override;
  std::shared_ptr<FileWorld> files() override { return files_; }
  const NetworkNames* names() const noexcept override { return &names_; }

  std::mutex mutex;
  SimSleep sleep;  ///< of the driving thread; safe without the mutex

  // -- for the loop
  /// What the virtual clock says. Written by the driving thread, which may read it without the mutex.
  const std::int64_t& time_ns() const noexcept { return time_ns_; }
  void advance_to(std::int64_t time_ns);
  /// When deliver() has something to do.
  std::int64_t next_ns();
  /// Lets everything happen that is due, and wins the waits that it ends. Returns how much it was.
  std::size_t deliver(FiberQueue& won, std::size_t& unawaited);
  /// Nothing happens any more: what is on its way is forgotten. The open sockets are returned, to be closed.
  std::vector<DescriptorHandle> stop();

  SimRandom& random_locked() noexcept { return random_; }
  IntrusiveList<SimSocket>& sockets_locked() noexcept { return sockets_; }

  /// A number that stands for all that has happened so far: equal runs have equal ones.
  std::uint64_t fingerprint_locked() const noexcept { return fingerprint_; }
  void mix_locked(std::uint64_t value) noexcept {
    fingerprint_ = SimRandom::mixed(fingerprint_ ^ value) + value;
  }

  // -- for sockets
  void post_locked(SimEventKind kind, const std::shared_ptr<SimSocket>& target, std::int64_t delay_ns,
                   std::uint64_t amount = 0);
  /// How many of up to `size` bytes an operation moves (short counts). REQUIRES: size > 0.
  std::size_t shortened_locked(std::size_t size) noexcept;
  std::size_t buffer_size() const noexcept { return buffer_size_; }
  SimPorts& ports_locked() noexcept { return ports_; }
  /// Another socket may be opened; else the caller fails with EMFILE.
  bool room_locked() const noexcept { return open_count_ < descriptors_max_; }
  void peer_ended_locked(const SimEndedPeer& ended) { ended_peers_.push_back(ended); }
  /// Those since the last call.
  std::vector<SimEndedPeer> take_ended_peers();
  void opened_locked(SimSocket& socket);
  SimDatagrams& datagrams_locked() noexcept { return datagrams_; }
  void count_open_locked(int change) noexcept { open_count_ += static_cast<std::size_t>(change); }
  std::int64_t drawn_latency_locked() noexcept;
  void ended_locked(SimSocket& socket) noexcept;

 private:
  Result<std::shared_ptr<SimSocket>> listen_locked(const SimAddress& address,
                                                   const ListenParameters& parameters);
  /// A client that has asked for a connection; its connect_result_locked() says when it has one.
  Result<std::shared_ptr<SimSocket>> connect_locked(const SimAddress& address);
  Result<std::shared_ptr<SimSocket>> connect_local_locked(const SimAddress& address);
  Result<DescriptorPair> make_pair(SimTransport transport);
  Result<DescriptorHandle> open(const Result<std::shared_ptr<SimSocket>>& socket);
  Result<Accepted> open_accepted(const Result<std::shared_ptr<SimSocket>>& socket);
  bool is_black_hole(const SimAddress& address) const;
  void lose_syn_locked(const SimEvent& event);
  void syn_arrives_locked(const SimEvent& event, FiberQueue& won);
  void refuse_locked(const std::shared_ptr<SimSocket>& client, int error);
  Result<DescriptorHandle> open(const std::shared_ptr<SimDatagramSocket>& socket);

  const std::size_t buffer_size_;
  const std::size_t descriptors_max_;
  const std::int64_t latency_min_ns_;
  const std::int64_t latency_max_ns_;
  const std::uint32_t short_counts_percent_;
  const std::shared_ptr<SimFiles> files_;
  const NetworkNames names_;
  const std::vector<std::string> black_holes_;

  // Guarded by mutex.
  std::int64_t time_ns_;
  bool stopped_ = false;
  std::size_t open_count_ = 0;
  SimRandom random_;
  std::uint64_t fingerprint_ = 0;
  SimPorts ports_;
  SimEventQueue events_;
  SimDatagrams datagrams_;
  std::vector<SimEndedPeer> ended_peers_;
  IntrusiveList<SimSocket> sockets_;  // the open ones, in the order of their opening
};

}  // namespace weft
