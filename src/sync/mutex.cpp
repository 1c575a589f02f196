// SPDX-License-Identifier: Apache-2.0
#include <weft/mutex.hpp>

#include "event_loop/operation.hpp"
#include "sync/mutex_word.hpp"

namespace weft {

static_assert(WEFT_CHECK_LOCKS || sizeof(Mutex) == 8);

void Mutex::lock_slow() noexcept {
  static_assert(kLocked == mutex_word::kLocked);
  [[maybe_unused]] const WaitOutcome outcome =
      mutex_word::lock(word_, WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> Mutex::lock_until_slow(Deadline deadline) noexcept {
  return result_of_outcome(mutex_word::lock(word_, WaitWord::Cancellable::kYes, deadline));
}

bool Mutex::try_lock_slow() noexcept { return mutex_word::try_lock(word_); }

void Mutex::unlock_slow() noexcept { mutex_word::unlock(word_); }

}  // namespace weft
