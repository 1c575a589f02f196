// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Where the caller stands, innermost first, to standard error: for a user's mistake that is about to end the
/// program. Takes a lock and allocates, as describe_backtrace() does.
void write_own_backtrace() noexcept;

}  // namespace weft
