// SPDX-License-Identifier: Apache-2.0
#pragma once

// The simulated event loop: virtual time and an in-memory TCP network behind the contract of event_loop.hpp.
// One loop is one world: its sockets reach each other, and nothing else (docs/design/simulation.md).
//
// Time stands still while anything can run. When nothing can, and the caller has announced that it may block,
// the clock jumps to what comes next. The thread really sleeps only when nothing comes next.
//
// Thread safety: a world is driven by one thread, that of a concurrent context: run() and the operations are
// its. Handles may be closed, and the loop interrupted, by any thread; what comes from outside is not
// repeatable. Guarantees: the same options and program give the same run; L2 to L4 and L9 as in every loop.

#include "event_loop/event_loop.hpp"
#include "event_loop/loop_counters.hpp"
#include "event_loop/sim/sim_network.hpp"
#include "event_loop/sim/sim_options.hpp"

#include <thread>

namespace weft {

class SimEventLoop final : public EventLoop {
 public:
  explicit SimEventLoop(SimOptions options = {});
  /// Retires the loop, if nobody did.
  ~SimEventLoop() override;

  Result<DescriptorHandle> listen(const sys::RawAddress& address, const ListenParameters&) override;
  Result<DescriptorHandle> connect(const sys::RawAddress& address, Deadline) override;
  Result<Accepted> accept(DescriptorHandle, Deadline) override;
  Result<Accepted> try_accept(DescriptorHandle) override;
  Result<std::size_t> read(DescriptorHandle, std::span<std::byte>, Deadline) override;
  Result<std::size_t> read_when_ready(DescriptorHandle, BufferSource&, Deadline) override;
  Result<std::size_t> read_vectored(DescriptorHandle, std::span<const iovec>, Deadline) override;
  Result<std::size_t> write_in_turn(Descriptor&, std::span<const std::byte>, Deadline) override;
  Result<std::size_t> write_vectored_in_turn(Descriptor&, std::span<const iovec>, Deadline) override;
  Result<void> wait_ready(DescriptorHandle, Direction, Deadline) override;
  Result<bool> look(Descriptor&, Direction) noexcept override;
  Result<WaitPlan> plan_watch_locked(Descriptor&) noexcept override;
  Result<void> shutdown(DescriptorHandle, int how) override;
  Result<void> close(DescriptorHandle) override;
  Result<sys::RawAddress> local_address(DescriptorHandle) override;
  Result<sys::RawAddress> peer_address(DescriptorHandle) override;

  /// From here to leave_thread() the calling thread's now_ns(), and so every Deadline::after(), is virtual.
  /// The first run() does it for a thread that did not; deadlines made before are of the real clock then. BUG
  /// for a second thread.
  void enter_thread() noexcept override;
  void leave_thread() noexcept override;

  void prepare_to_block() noexcept override { network_->sleep.announce(); }
  void cancel_block() noexcept override { network_->sleep.end(); }
  std::int64_t run(Home& home, FiberQueue& runnable) noexcept override;
  void interrupt() noexcept override;
  void retire() noexcept override;
  EventLoopCounters counters() const noexcept override { return counters_.snapshot(); }

  /// What the virtual clock says. The driving thread.
  std::int64_t time_ns() const noexcept { return network_->time_ns(); }
  /// A number that stands for all that has happened so far: equal runs have equal ones. Any thread.
  std::uint64_t fingerprint() const noexcept;

 private:
  // -- operations (sim_operations.cpp)
  // -----------------------------------------------------------------------
  template <class Attempt>
  auto operate(Descriptor&, Direction, Deadline, Attempt&& attempt) -> decltype(attempt());
  Result<DescriptorHandle> open(const Result<std::shared_ptr<SimSocket>>& socket);
  Result<std::shared_ptr<SimSocket>> take_pending(DescriptorHandle, Deadline);
  Result<void> finish_connect(DescriptorHandle, Deadline);
  Result<Accepted> open_connection(const Result<std::shared_ptr<SimSocket>>&);
  Result<SimSocket*> socket_of(Descriptor&) const noexcept;
  Result<void> wait(Descriptor&, Direction, Deadline) noexcept;

  // -- running (sim_run.cpp)
  // ---------------------------------------------------------------------------------
  void take_due(FiberQueue& won) noexcept;
  void tell_of_ended_peers() noexcept;
  bool advance() noexcept;
  void hand_out(FiberQueue& won, Home& home, FiberQueue& runnable) noexcept;
  void shuffle(FiberQueue& won) noexcept;
  void sleep_or_report() noexcept;
  std::vector<std::string> waiters() noexcept;
  void report(const SimStuck& stuck) noexcept;

  const SimOptions options_;
  const std::shared_ptr<SimNetwork> network_;

  // The driving thread's.
  std::thread::id driver_;
  bool retired_ = false;
  std::uint64_t wait_changes_ = 0;      // waits begun and ended so far
  std::uint64_t reported_changes_ = 0;  // at the last report: if it is the same, nobody has run since

  LoopCounters counters_;
};

}  // namespace weft
