// SPDX-License-Identifier: Apache-2.0
#include <weft/mutex.hpp>

#include "fiber/outcome_error.hpp"
#include "sync/mutex_word.hpp"

#include <type_traits>

namespace weft {

static_assert(WEFT_CHECK_LOCKS || sizeof(Mutex) == 8);

/// For dumps.
struct Mutex::Description {
  static void write(const void* word, WaitDescription& description) noexcept {
    // A mutex word without a mutex around it is nobody's business but ours: Mutex is standard layout, so its
    // first member's address is its own.
    static_assert(std::is_standard_layout_v<Mutex>);
    const std::uint64_t owner = static_cast<const Mutex*>(word)->owner_.id();
    description.add("mutex ");
    description.add_address(word);
    if (owner >> 63 != 0) {
      description.add(", held by a plain thread");
    } else if (owner != 0) {
      description.add(", held by fiber #");
      description.add_number(owner);
      description.fiber_id = owner;
    }
  }
  static inline const bool kKnown = set_wait_describer(WaitKind::kMutex, write);
};

void Mutex::lock_slow() noexcept {
  static_assert(kLocked == mutex_word::kLocked);
  [[maybe_unused]] const WaitOutcome outcome =
      mutex_word::lock(word_, WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> Mutex::lock_until_slow(Deadline deadline) noexcept {
  return result_of_outcome(mutex_word::lock(word_, WaitWord::Cancellable::kYes, deadline));
}

bool Mutex::try_lock_slow() noexcept {
  if (word_.load(relaxed) == detail::kDestroyed) [[unlikely]]
    refuse_destroyed();
  return mutex_word::try_lock(word_);
}

void Mutex::unlock_slow() noexcept { mutex_word::unlock(word_); }

}  // namespace weft
