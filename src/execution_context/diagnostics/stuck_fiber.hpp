// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/context.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace weft {

/// Whether a fiber of the context that has not suspended for so long is to be reported.
bool stuck_for_too_long(const Context& context, std::int64_t stuck_ns) noexcept;

/// What is known about a stuck fiber without keeping it, its scheduler or its context.
class StuckFiber {
 public:
  /// The fiber that `scheduler` runs; none if it has just ended. By the monitor, with the context kept.
  static std::optional<StuckFiber> of(Context& context, Scheduler& scheduler, std::int64_t stuck_ns);

  /// Looks where it is and tells the handler.
  void report() const;

 private:
  StuckFiber(Context& context, Scheduler& scheduler, Fiber& fiber, std::int64_t stuck_ns);

  std::string context_;
  std::uint32_t scheduler_;
  int thread_id_;
  std::uint64_t id_;
  std::string description_;
  SourceLocation spawned_at_;
  std::byte* stack_low_;
  std::byte* stack_top_;
  std::int64_t stuck_ns_;
};

/// Makes what users can set here, if nobody did: it must be whole before a fork().
void make_stuck_settings() noexcept;

}  // namespace weft
