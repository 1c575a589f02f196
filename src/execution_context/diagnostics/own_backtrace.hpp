// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Does nothing, but brings into every program what makes a BUG name the program's line and print a
/// backtrace: the linker leaves out of a static library what nobody calls.
void keep_panic_witness() noexcept;

}  // namespace weft
