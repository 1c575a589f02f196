// SPDX-License-Identifier: Apache-2.0
// Permits and waiters exclude each other, so one word holds what there is of either (docs/design/sync.md).
//
//   bit 0      queue     somebody works on the chain: nobody else writes the word
//   bit 1      waiting   somebody stands in the chain; then there are no permits
//   bits 2..63 permits
#include <weft/semaphore.hpp>

#include "base/panic.hpp"
#include "event_loop/operation.hpp"
#include "sync/wait_queue.hpp"

namespace weft {
namespace {

constexpr std::uintptr_t kOnePermit = 4;

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
    semaphore.word_.store(kWaiting, weft::release);
    return true;
  }

  static void leave(Semaphore& semaphore, QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(semaphore.word_);
    semaphore.waiters_.remove_if_linked(node);
    semaphore.word_.store((before & ~kWaiting) | flags_of(semaphore.waiters_), weft::release);
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
  while ((before & (kQueueBit | kWaiting)) == 0) {
    const std::uintptr_t after = add_permits(before / kOnePermit, permits) * kOnePermit;
    if (word_.compare_exchange_weak(before, after, weft::release, relaxed)) return;
  }
  WaitChain won;
  before = lock_queue(word_);
  while (permits != 0) {
    QueueNode* const node = waiters_.win_first();
    if (node == nullptr) break;
    won.push_back(*node);
    --permits;
  }
  const std::size_t left = add_permits(before / kOnePermit, permits);
  word_.store(left * kOnePermit | flags_of(waiters_), weft::release);
  won.wake_all();
}

std::size_t Semaphore::available() const noexcept { return word_.load(relaxed) / kOnePermit; }

}  // namespace weft
