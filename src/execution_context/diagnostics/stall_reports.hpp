// SPDX-License-Identifier: Apache-2.0
#pragma once

// Telling about deadlocks and leaks (include/weft/deadlock.hpp, docs/design/deadlock.md). By the monitor.

#include "base/detail_names.hpp"

#include <weft/deadlock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft {

DeadlockDetection deadlock_detection() noexcept;
void report_deadlock(std::size_t fibers, std::size_t threads);

/// 0: never.
std::int64_t leak_report_after_ns() noexcept;

/// What is known about a context that does not end, without keeping it.
struct Leak {
  const Context* context;  ///< only good to be compared
  std::string name;
  std::int64_t closing_ns;

  /// Nothing, if no fiber of it is left.
  void report() const;
};

/// Makes what users can set here, if nobody did: it must be whole before a fork().
void make_stall_settings() noexcept;

}  // namespace weft
