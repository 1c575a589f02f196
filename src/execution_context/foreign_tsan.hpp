// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Ends the program, and says why, if it is built with ThreadSanitizer and the library is not: it would
/// report races where there are none, and crash in the sanitizer's runtime.
void refuse_foreign_tsan() noexcept;

}  // namespace weft
