// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_signal.hpp"

#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "fiber/describe.hpp"

#include <mutex>

namespace weft {

bool sim_signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept {
  FiberQueue own;
  {
    std::scoped_lock lock(descriptor.lock);
    if (signal_locked(descriptor, signals, own)) {  // time stands still: all in one section
      WaitList taken;
      if (signals.hang_up) take_all_waiters_locked(descriptor, taken);
      while (win_portion_locked(taken, WaitOutcome::kReady, own)) {}
      while (!signals.hang_up && signals.read && win_one_locked(descriptor, Direction::kRead, own)) {}
      while (!signals.hang_up && signals.write && win_one_locked(descriptor, Direction::kWrite, own)) {}
    }
  }
  const bool awaited = !own.empty();
  won.splice(own);
  return awaited;
}

void describe_sim_waiters_locked(Descriptor& descriptor, const std::string& to_read,
                                 const std::string& to_write, std::vector<std::string>& lines) {
  // Allocates under a spin lock, against L10: the world stands still, and is about to be reported.
  std::scoped_lock lock(descriptor.lock);
  const auto describe = [&](WaitList& list, const char* waits, const std::string& what) {
    list.for_each([&](WaitNode& node) {
      const FiberDescription fiber(static_cast<Fiber&>(*node.waiter));
      lines.push_back("fiber " + std::string(fiber.view()) + waits + what);
    });
  };
  describe(descriptor.waiters_of(Direction::kRead), " waits to ", to_read);
  describe(descriptor.waiters_of(Direction::kWrite), " waits to ", to_write);
  describe(descriptor.writers, " waits for its turn to ", to_write);
}

}  // namespace weft
