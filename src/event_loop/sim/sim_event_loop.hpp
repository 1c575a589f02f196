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

  /// Nothing has to be registered: the network finds the descriptor itself.
  WaitPlan plan_watch_locked(Descriptor&) noexcept override { return {}; }
  Result<void> carry_out(Descriptor&, const WaitPlan&) noexcept override { return {}; }
  void opened(Descriptor&) noexcept override {}

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
  SimEventLoop(std::shared_ptr<SimNetwork> network, SimOptions& options);
  WaitPlan plan_wait_slow_locked(Descriptor&, Direction) noexcept override;

  // -- running (sim_run.cpp)
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
  std::uint64_t waits_ = 0;  // begun so far
  // At the last report: if they are the same, nobody has run since.
  std::uint64_t reported_waits_ = 0;
  std::vector<std::string> reported_;

  LoopCounters counters_;
};

}  // namespace weft
