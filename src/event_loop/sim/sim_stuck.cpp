// SPDX-License-Identifier: Apache-2.0
// What a simulated loop does when nothing can happen in its world any more.
#include "base/clock.hpp"
#include "base/panic.hpp"
#include "base/saturating.hpp"
#include "event_loop/sim/sim_event_loop.hpp"

#include <mutex>

namespace weft {

// With fibers that wait for the network and nothing on its way, only something from outside can go on: it
// gets some real time to come. A world in which nobody waits has ended, or not begun: it sleeps.
void SimEventLoop::sleep_or_report() noexcept {
  std::vector<std::string> waiting = waiters();
  // Nobody has run since the last report.
  const bool known = reported_waits_ == waits_ && reported_ == waiting;
  if (known || waiting.empty()) {
    network_->sleep.sleep(Deadline::never());
    return;
  }
  if (options_.stuck_after_ns > 0) {
    const Deadline patience = Deadline::at_ns(saturating_add(monotonic_ns(), options_.stuck_after_ns));
    if (network_->sleep.sleep(patience)) return;
  }
  reported_waits_ = waits_;
  reported_ = waiters();
  report({time_ns(), reported_});
}

std::vector<std::string> SimEventLoop::waiters() noexcept {
  std::vector<std::string> lines;
  std::scoped_lock lock(network_->mutex);
  network_->sockets_locked().for_each([&](SimSocket& socket) { socket.describe_waiters_locked(lines); });
  network_->datagrams_locked().sockets().for_each(
      [&](SimDatagramSocket& socket) { socket.describe_waiters_locked(lines); });
  return lines;
}

void SimEventLoop::report(const SimStuck& stuck) noexcept {
  if (options_.on_stuck) return options_.on_stuck(stuck);
  for (const std::string& line : stuck.waiting) write_to_stderr({"weft: ", line, "\n"});
  WEFT_PANIC("the simulation is stuck: nothing can run any more", PanicValue{"waiting", stuck.waiting.size()},
             PanicValue{"time_ns", panic_bits(stuck.time_ns)});
}

}  // namespace weft
