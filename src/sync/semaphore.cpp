// SPDX-License-Identifier: Apache-2.0
// Permits and waiters exclude each other, so one word holds what there is of either (docs/design/sync.md).
//
//   bit 0      queue     somebody works on the chain: nobody else writes the word
//   bit 1      waiting   somebody stands in the chain; then there are no permits
//   bit 2      waking    a release() is between two portions of those that it wakes
//   bits 3..63 permits
#include <weft/semaphore.hpp>

#include "base/panic.hpp"
#include "base/portion.hpp"
#include "base/spin_backoff.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/wait_queue.hpp"

namespace weft {
namespace {

constexpr std::uintptr_t kWaking = 4;
constexpr std::uintptr_t kOnePermit = 8;

std::uintptr_t flags_of(const WaitChain& chain) noexcept { return chain.empty() ? 0 : kWaiting; }

constexpr const char* kTooManyPermits = "too many permits of a semaphore";

std::size_t add_permits(std::size_t there, std::size_t more) noexcept {
  WEFT_ASSERT(more <= Semaphore::max() && there + more <= Semaphore::max(), kTooManyPermits,
              WEFT_VALUE(there), WEFT_VALUE(more));
  return there + more;
}

[[maybe_unused]] const bool semaphore_described =
    set_wait_describer(WaitKind::kSemaphore, [](const void* object, WaitDescription& description) noexcept {
      description.add("a permit of semaphore ");
      description.add_address(object);
    });

}  // namespace

struct Semaphore::Protocol {
  /// With the queue bit: takes a permit, false, or links the node.
  static bool queue(Semaphore& semaphore, QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(semaphore.word_);
    if (before >= kOnePermit) {
      semaphore.word_.store(before - kOnePermit, weft::release);
      return false;
    }
    semaphore.waiters_.push_back(node);
    semaphore.word_.store((before & kWaking) | kWaiting, weft::release);
    return true;
  }

  static void leave(Semaphore& semaphore, QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(semaphore.word_);
    semaphore.waiters_.remove_if_linked(node);
    semaphore.word_.store((before & ~kWaiting) | flags_of(semaphore.waiters_), weft::release);
  }

  /// A waiter that is woken may destroy the semaphore: others are woken then, or still to be.
  static void wait_until_woken(const Semaphore& semaphore) noexcept {
    for (SpinBackoff backoff; (semaphore.word_.load(weft::acquire) & kWaking) != 0;) backoff.pause();
  }

  /// Takes the queue bit when no release() is between two portions.
  static std::uintptr_t lock_to_release(Semaphore& semaphore) noexcept {
    for (;;) {
      const std::uintptr_t before = lock_queue(semaphore.word_);
      if ((before & kWaking) == 0) return before;
      semaphore.word_.store(before, weft::release);
      wait_until_woken(semaphore);
    }
  }

  /// With the queue bit: gives permits to a portion of the waiters.
  static void win_portion(Semaphore& semaphore, std::size_t& permits, WaitChain& won) noexcept {
    for (std::uint32_t count = 0; count < kPortion && permits != 0; ++count) {
      QueueNode* const node = semaphore.waiters_.pop_front();
      if (node == nullptr) return;
      if (!node->win()) continue;
      won.push_back(*node);
      --permits;
    }
  }

  static WaitOutcome acquire(Semaphore& semaphore, WaitWord::Cancellable cancellable,
                             Deadline deadline) noexcept {
    if (semaphore.try_acquire()) return WaitOutcome::kReady;
    QueueNode own;
    return wait_in_queue(
        own, {WaitKind::kSemaphore, &semaphore}, cancellable, deadline,
        [&](QueueNode& node) { return queue(semaphore, node); },
        [&](QueueNode& node) { leave(semaphore, node); });
  }
};

Semaphore::~Semaphore() {
  Protocol::wait_until_woken(*this);
  detail::end_of_life(word_, kQueueBit | kWaiting, "a semaphore");
}

Semaphore::Semaphore(std::size_t permits, SourceLocation made_at) noexcept : word_(permits * kOnePermit) {
  if (permits > max()) panic(made_at.file, made_at.line, kTooManyPermits, {WEFT_VALUE(permits)});
}

void Semaphore::acquire_uncancellable() noexcept {
  Protocol::acquire(*this, WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> Semaphore::acquire_until(Deadline deadline) noexcept {
  return result_of_outcome(Protocol::acquire(*this, WaitWord::Cancellable::kYes, deadline));
}

bool Semaphore::try_acquire() noexcept {
  SpinBackoff backoff;
  std::uintptr_t before = word_.load(relaxed);
  for (;;) {
    if ((before & kQueueBit) != 0) {  // a release may be about to leave permits
      if (before == detail::kDestroyed) [[unlikely]]
        refuse_destroyed();
      backoff.pause();
      before = word_.load(relaxed);
    } else if (before < kOnePermit) {
      return false;
    } else if (word_.compare_exchange_weak(before, before - kOnePermit, weft::acquire, relaxed)) {
      return true;  // acquire: pairs with the release of a release()
    }
  }
}

void Semaphore::release(std::size_t permits) noexcept {
  std::uintptr_t before = word_.load(relaxed);
  while ((before & (kQueueBit | kWaiting | kWaking)) == 0) {
    const std::uintptr_t after = add_permits(before / kOnePermit, permits) * kOnePermit;
    if (word_.compare_exchange_weak(before, after, weft::release, relaxed)) return;
  }
  before = Protocol::lock_to_release(*this);
  for (;;) {
    WaitChain won;
    Protocol::win_portion(*this, permits, won);
    const bool more = permits != 0 && !waiters_.empty();
    const std::size_t left = add_permits(before / kOnePermit, more ? 0 : permits);
    word_.store(left * kOnePermit | flags_of(waiters_) | (more ? kWaking : 0), weft::release);
    won.wake_all();
    if (!more) return;
    before = lock_queue(word_);
  }
}

std::size_t Semaphore::available() const noexcept { return word_.load(relaxed) / kOnePermit; }

}  // namespace weft
