// SPDX-License-Identifier: Apache-2.0
// sys/futex.cpp as the model checker has it.
#include "sys/futex.hpp"

#include "base/panic.hpp"
#include "model/explorer/blocking.hpp"

namespace weft::sys {

bool futex_wait(Atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) noexcept {
  WEFT_ASSERT(model::hooks::active(), "a futex wait outside of an exploration");
  return model::futex_wait(&word, expected, !deadline.is_never());
}

int futex_wake(Atomic<std::uint32_t>& word, int count) noexcept {
  return model::hooks::active() ? model::futex_wake(&word, count) : 0;
}

}  // namespace weft::sys
