// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/event_loop_strategy.hpp>

#include <optional>

namespace weft {

/// What a context is made with: what it was told, or the default. Throws std::system_error
/// (invalid_argument), naming the reason, if that makes no sense.
EventLoopStrategy checked_strategy(const std::optional<EventLoopStrategy>& strategy);

/// Sets the default, none: that of the environment; returns what it was. REQUIRES: it makes sense.
std::optional<EventLoopStrategy> exchange_default_strategy(
    const std::optional<EventLoopStrategy>& strategy) noexcept;

/// Takes the lock of the default before a fork(), and gives it back on both sides.
void lock_default_strategy_for_fork() noexcept;
void unlock_default_strategy_after_fork() noexcept;

}  // namespace weft
