// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/execution_context.hpp>

#include "base/clock.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "execution_context/context.hpp"

#include <memory>
#include <string>
#include <utility>

namespace weft::test {

/// A concurrent context in a simulated world: what runs in it sees virtual time and the in-memory network.
class SimContext final : public ExecutionContext {
 public:
  explicit SimContext(std::string name, SimOptions options = {})
      : SimContext(std::move(name), std::make_unique<SimEventLoop>(std::move(options))) {}

  SimEventLoop& loop() const noexcept { return static_cast<SimEventLoop&>(core_->event_loop()); }

 private:
  SimContext(std::string name, std::unique_ptr<SimEventLoop> loop)
      : ExecutionContext(detail::OwnedContext(
            new Context({.name = std::move(name), .parallelism = 1, .event_loop = std::move(loop)}))) {}
};

/// Runs `body(start of the clock)` in virtual time.
template <class Body>
void in_virtual_time(Body body) {
  SimContext world("world");
  world.spawn([&] { body(now_ns()); }).join_uncancellable();
}

}  // namespace weft::test
