// SPDX-License-Identifier: Apache-2.0
// What is said of objects that are destroyed too early. (Apart from wait_queue.cpp: the models have their
// own.)
#include "base/panic.hpp"
#include "sync/wait_queue.hpp"

namespace weft {

void refuse_destroyed() noexcept {
  write_to_stderr({"weft: a synchronization object or channel is used after it was destroyed\n"});
  WEFT_PANIC("a synchronization object is used after it was destroyed");
}

// Relaxed: whoever may destroy the object has seen the last touch of everybody else (WQ3).
void detail::end_of_life(Atomic<std::uintptr_t>& word, std::uintptr_t waiting, const char* what) noexcept {
  if ((word.load(relaxed) & waiting) != 0) [[unlikely]] {
    write_to_stderr({"weft: ", what, " is destroyed while somebody waits for it\n"});
    WEFT_PANIC("a synchronization object is destroyed while somebody waits for it", WEFT_VALUE(&word));
  }
#if WEFT_CHECK_LOCKS
  word.store(kDestroyed, relaxed);
#endif
}

}  // namespace weft
