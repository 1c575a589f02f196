// SPDX-License-Identifier: Apache-2.0
// How a simulated world is driven: what is due happens, then time goes on.
#include "base/clock.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/sim/sim_event_loop.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weft {

SimEventLoop::SimEventLoop(SimOptions options)
    : SimEventLoop(std::make_shared<SimNetwork>(options), options) {}

SimEventLoop::SimEventLoop(std::shared_ptr<SimNetwork> network, SimOptions& options)
    : EventLoop(*network, options.start_ns), options_(std::move(options)), network_(std::move(network)) {}

WaitPlan SimEventLoop::plan_wait_slow_locked(Descriptor&, Direction) noexcept {
  ++waits_;
  return {};
}

SimEventLoop::~SimEventLoop() {
  if (!retired_) retire();
  if (driver_ == std::this_thread::get_id()) leave_thread();
}

void SimEventLoop::enter_thread() noexcept {
  const std::thread::id caller = std::this_thread::get_id();
  if (driver_ == caller) return;
  WEFT_ASSERT(driver_ == std::thread::id(), "a simulated world is driven by two threads");
  driver_ = caller;
  set_clock_override(&network_->time_ns());
}

void SimEventLoop::leave_thread() noexcept {
  WEFT_ASSERT(driver_ == std::this_thread::get_id(),
              "a simulated world is left by a thread that does not drive it");
  driver_ = {};
  set_clock_override(nullptr);
}

std::int64_t SimEventLoop::run(Home& home, FiberQueue& runnable) noexcept {
  enter_thread();
  FiberQueue won;
  take_due(won);
  while (won.empty() && network_->sleep.announced()) {
    if (!advance()) {
      sleep_or_report();
      break;
    }
    take_due(won);
  }
  network_->sleep.end();
  hand_out(won, home, runnable);
  return time_ns();
}

// What happens at the present moment, or should have happened before it.
void SimEventLoop::take_due(FiberQueue& won) noexcept {
  std::size_t unawaited = 0;
  const std::size_t events = network_->deliver(won, unawaited);
  tell_of_ended_peers();
  const std::size_t fired = timers_.expire(time_ns(), won, SIZE_MAX);  // a moment of a simulation is one
  counters_.polls.add();
  if (events == 0) counters_.empty_polls.add();
  counters_.events.add(events);
  counters_.unawaited_edges.add(unawaited);
  counters_.timers_fired.add(fired);
}

// Whoever is told is woken without `won`: time must not go on before it has run.
void SimEventLoop::tell_of_ended_peers() noexcept {
  for (const SimEndedPeer& ended : network_->take_ended_peers()) {
    if (note_peer_end(*ended.socket.descriptor, ended.socket.generation, ended.end))
      network_->sleep.interrupt();
  }
}

// False if time has nowhere to go.
bool SimEventLoop::advance() noexcept {
  const std::int64_t next = std::min(timers_.next_ns(), network_->next_ns());
  if (next == SimEventQueue::kNever) return false;
  network_->advance_to(next);
  return true;
}

// Fibers of the context that drives the world go to the driver's own queue, the others to their own contexts.
void SimEventLoop::hand_out(FiberQueue& won, Home& home, FiberQueue& runnable) noexcept {
  if (options_.shuffle && won.size() > 1) shuffle(won);
  while (Fiber* fiber = won.pop()) {
    if (fiber->home == &home) [[likely]] {
      runnable.push(*fiber);
    } else {
      counters_.cross_context_wakeups.add();
      fiber->wake();
    }
  }
}

void SimEventLoop::shuffle(FiberQueue& won) noexcept {
  std::vector<Fiber*> fibers;
  while (Fiber* fiber = won.pop()) fibers.push_back(fiber);
  std::scoped_lock lock(network_->mutex);
  for (std::size_t left = fibers.size(); left > 0; --left) {
    const std::size_t chosen = network_->random_locked().below(left);
    network_->mix_locked(chosen);
    won.push(*fibers[chosen]);
    fibers.erase(fibers.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
}

void SimEventLoop::interrupt() noexcept {
  if (network_->sleep.interrupt()) counters_.interrupts.add();
}

std::uint64_t SimEventLoop::fingerprint() const noexcept {
  std::scoped_lock lock(network_->mutex);
  return network_->fingerprint_locked();
}

// Handles that are still held find their file closed from now on.
void SimEventLoop::retire() noexcept {
  retired_ = true;
  for (const DescriptorHandle handle : network_->stop()) {
    [[maybe_unused]] const Result<void> closed = close_descriptor(handle);  // fails if its owner was faster
  }
}

}  // namespace weft
