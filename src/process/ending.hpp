// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a process is ended and reaped in any case (docs/design/processes.md, "the end").

#include "process/child_core.hpp"

#include <chrono>
#include <memory>

namespace weft::process {

/// SIGTERM, SIGKILL after the grace, and reaps it. Not cancellable. Errc::timed_out: it runs all the same.
Result<void> end_process(ChildCore& core, std::chrono::nanoseconds grace) noexcept;

/// What a destructor does: ends the process, unless it has ended, and frees the core.
void dispose(ChildCore* core) noexcept;

/// Reaps those that were still running when they were disposed of, and have ended since.
void reap_abandoned() noexcept;

}  // namespace weft::process
