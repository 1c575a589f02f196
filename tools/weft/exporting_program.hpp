// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft::tool {

/// True in weft-exports: whatever it loads finds the weft in it.
bool exports_weft() noexcept;

/// Replaces this program by the weft-exports beside it, with the same arguments. Returns an exit code, after
/// a message, only if it cannot be run.
int become_exporting_program(char** arguments);

}  // namespace weft::tool
