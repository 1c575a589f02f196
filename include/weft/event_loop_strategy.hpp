// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// How event loops and open files are related: which loops there are, when a file is registered with one, and
/// who may take it over. A context takes a strategy when it is made; docs/guide/strategies.md says which to
/// choose when.
///
/// A value type; no function suspends. The default is `lifetime`. Contexts with different strategies work in
/// one process, and may hand each other live sockets.
///
///     weft::ParallelContext workers("workers", {.strategy = weft::EventLoopStrategy::pinned()});
///     std::puts(workers.strategy().to_string().c_str());   // "pinned"
struct EventLoopStrategy {
  /// Which loops there are, and who polls them.
  enum class Placement : std::uint8_t {
    kPerThread,   ///< one for each thread; a fiber stays on the thread it was dealt to, nobody steals
    kPerContext,  ///< one for each context, polled by its idle threads
    kPerProcess,  ///< one for all contexts of the strategy, polled by whichever of their threads is idle
    kDedicated,   ///< the same, with a thread that does nothing but poll
  };
  /// When a file is registered with a loop.
  enum class Registration : std::uint8_t {
    kPerWait,    ///< for each wait: add, wait, delete
    kAtOpen,     ///< once, when it is opened
    kLifetime,   ///< once, when a fiber first has to wait on it
    kBroadcast,  ///< when it is opened, in every loop of the strategy
  };
  /// Who may take over a file that is registered for its lifetime.
  enum class Ownership : std::uint8_t {
    kNone,      ///< not for this registration
    kTransfer,  ///< the loop of whoever waits next, unless somebody else waits
    kPinned,    ///< nobody: fibers of other contexts are woken from where it is
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

  /// The eight that have names, the default last.
  static std::span<const EventLoopStrategy> named() noexcept;
  /// The strategy of a name such as "rearm-thread"; std::errc::invalid_argument if there is none.
  static Result<EventLoopStrategy> parse(std::string_view name) noexcept;
  /// Its name, or its three parts ("per_process+per_wait") if it has none.
  std::string to_string() const;

  /// Why this combination makes no sense; empty if it does. A context that is made with one that does not
  /// throws std::system_error (invalid_argument) with this text.
  std::string_view objection() const noexcept;

  friend bool operator==(const EventLoopStrategy&, const EventLoopStrategy&) noexcept = default;
};

/// The strategy of contexts that are made from now on and name none. Without this call it is what the
/// environment variable WEFT_STRATEGY names, else `lifetime`. To be called before the first context: those
/// that exist keep theirs. Any thread; does not suspend. Throws std::system_error if the combination makes no
/// sense.
void set_default_event_loop_strategy(const EventLoopStrategy& strategy);

/// What a context that names no strategy gets. Throws std::system_error if WEFT_STRATEGY is asked and names
/// none that there is. Any thread; does not suspend.
EventLoopStrategy default_event_loop_strategy();

// -- bodies
// ----------------------------------------------------------------------------------------------------

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
