// SPDX-License-Identifier: Apache-2.0
#include "execution_context/foreign_tsan.hpp"

#include "base/panic.hpp"
#include "base/sanitizers.hpp"

#include <cstdlib>

// Of TSan's runtime: null where the program is not built with it.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" [[gnu::weak]] void __tsan_init();

namespace weft {

void refuse_foreign_tsan() noexcept {
  if (WEFT_TSAN || __tsan_init == nullptr) return;
  write_to_stderr(
      {"weft: the program is built with ThreadSanitizer, the weft library is not: TSan would not see that "
       "fibers switch stacks, report races where there are none, and crash.\n"
       "weft: build the library with -DWEFT_SANITIZE=thread too (docs/guide/hazards.md, \"Sanitizers and "
       "valgrind\")\n"});
  std::_Exit(66);  // as TSan does after a report
}

}  // namespace weft
