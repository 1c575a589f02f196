// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/diagnostics/interrupted_flow.hpp"

#include <cstddef>
#include <span>

namespace weft {

/// The return addresses of an interrupted flow, innermost first: how many. Each frame is left as its
/// function's .eh_frame says (call_frame_rows.hpp), one without that by its frame pointer. Memory is read
/// from the copy only, whatever the tables say. Not for signal handlers: the tables are found under the
/// unwinder's locks.
std::size_t unwind(const InterruptedFlow& flow, std::span<void*> frames) noexcept;

}  // namespace weft
