// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// How event loops and descriptors are related: which loops there are, when a descriptor is registered with a
/// loop, and when its registration is transferred to another loop. A context takes a strategy when it is
/// made. docs/guide/strategies.md says which one to choose.
///
/// A value type; no function suspends. The default is `lifetime`. Contexts with different strategies work in
/// one process, and may pass live sockets to each other.
///
///     weft::ParallelContext workers("workers", {.strategy = weft::EventLoopStrategy::pinned()});
///     std::puts(workers.strategy().to_string().c_str());   // "pinned"
struct EventLoopStrategy {
  /// Which loops there are, and which threads poll them.
  enum class Placement : std::uint8_t {
    kPerThread,   ///< one loop for each thread; a fiber stays on its first thread, and threads do not steal
    kPerContext,  ///< one loop for each context, polled by its idle threads
    kPerProcess,  ///< one loop for all contexts of the strategy, polled by their idle threads
    kDedicated,   ///< one loop for all contexts of the strategy, with a thread that only polls
  };
  /// When a descriptor is registered with a loop.
  enum class Registration : std::uint8_t {
    kPerWait,    ///< for each wait: add, wait, delete
    kAtOpen,     ///< once, when it is opened
    kLifetime,   ///< once, when a fiber first has to wait on it
    kBroadcast,  ///< when it is opened, with every loop of the strategy
  };
  /// Whether a registration for life may be transferred to another loop.
  enum class Ownership : std::uint8_t {
    kNone,      ///< does not apply to this registration
    kTransfer,  ///< to the loop of the next fiber that waits, unless another fiber waits already
    kPinned,    ///< never; fibers of other contexts are woken across contexts
  };

  Placement placement = Placement::kPerContext;
  Registration registration = Registration::kLifetime;
  Ownership ownership = Ownership::kTransfer;

  static constexpr EventLoopStrategy rearm_thread() noexcept;
  static constexpr EventLoopStrategy rearm_context() noexcept;
  static constexpr EventLoopStrategy process() noexcept;
  static constexpr EventLoopStrategy dedicated() noexcept;
  static constexpr EventLoopStrategy broadcast() noexcept;
  static constexpr EventLoopStrategy pinned() noexcept;
  static constexpr EventLoopStrategy lifetime_thread() noexcept;
  static constexpr EventLoopStrategy lifetime() noexcept;

  /// The eight strategies that have names, the default last.
  static std::span<const EventLoopStrategy> named() noexcept;
  /// The strategy with a name such as "rearm-thread"; std::errc::invalid_argument if there is none.
  static Result<EventLoopStrategy> parse(std::string_view name) noexcept;
  /// The name, or the parts ("per_process+per_wait") if the strategy has no name.
  std::string to_string() const;

  /// Why this combination is invalid; empty if it is valid. The constructor of a context throws
  /// std::system_error (invalid_argument) with this text.
  std::string_view objection() const noexcept;

  friend bool operator==(const EventLoopStrategy&, const EventLoopStrategy&) noexcept = default;
};

/// Sets the strategy of contexts that are made from now on without one. The default before this call comes
/// from the environment variable WEFT_STRATEGY; without it, it is `lifetime`. Call it before the first
/// context is made: existing contexts keep their strategy. Any thread may call it. Does not suspend. Throws
/// std::system_error if the combination is invalid.
void set_default_event_loop_strategy(const EventLoopStrategy& strategy);

/// The strategy of a context that is made without one. Throws std::system_error if WEFT_STRATEGY applies and
/// is not the name of a strategy. Any thread may call it. Does not suspend.
EventLoopStrategy default_event_loop_strategy();

// -- bodies

constexpr EventLoopStrategy EventLoopStrategy::rearm_thread() noexcept {
  return {Placement::kPerThread, Registration::kPerWait, Ownership::kNone};
}
constexpr EventLoopStrategy EventLoopStrategy::rearm_context() noexcept {
  return {Placement::kPerContext, Registration::kPerWait, Ownership::kNone};
}
constexpr EventLoopStrategy EventLoopStrategy::process() noexcept {
  return {Placement::kPerProcess, Registration::kAtOpen, Ownership::kNone};
}
constexpr EventLoopStrategy EventLoopStrategy::dedicated() noexcept {
  return {Placement::kDedicated, Registration::kAtOpen, Ownership::kNone};
}
constexpr EventLoopStrategy EventLoopStrategy::broadcast() noexcept {
  return {Placement::kPerContext, Registration::kBroadcast, Ownership::kNone};
}
constexpr EventLoopStrategy EventLoopStrategy::pinned() noexcept {
  return {Placement::kPerContext, Registration::kLifetime, Ownership::kPinned};
}
constexpr EventLoopStrategy EventLoopStrategy::lifetime_thread() noexcept {
  return {Placement::kPerThread, Registration::kLifetime, Ownership::kTransfer};
}
constexpr EventLoopStrategy EventLoopStrategy::lifetime() noexcept {
  return {Placement::kPerContext, Registration::kLifetime, Ownership::kTransfer};
}

}  // namespace weft
