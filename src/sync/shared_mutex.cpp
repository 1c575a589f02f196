// SPDX-License-Identifier: Apache-2.0
// Who holds the lock, and whether anybody waits, in one word (docs/design/shared-mutex.md).
//
//   bit 0      queue     somebody works on the chains: nobody else writes the word
//   bit 1      waiting   somebody stands in a chain
//   bit 2      writer    a writer holds the lock
//   bits 3..63 readers that hold it
//
// Invariants: SM1 writer excludes readers. SM2 a free lock has no waiters: it is handed over, never left to
// be found. SM3 waiting readers stand behind a writer, that holds the lock or waits. SM4 `waiting` is set
// exactly while a chain is not empty, but within a section.
#include <weft/shared_mutex.hpp>

#include "base/panic.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/wait_queue.hpp"

#include <utility>

namespace weft {
namespace {

constexpr std::uintptr_t kWriter = 4;
constexpr std::uintptr_t kOneReader = 8;

constexpr bool held(std::uintptr_t word) noexcept { return word >= kWriter; }
constexpr bool held_by_readers(std::uintptr_t word) noexcept { return word >= kOneReader; }

[[maybe_unused]] const bool lock_described =
    set_wait_describer(WaitKind::kSharedMutex, [](const void* object, WaitDescription& description) noexcept {
      description.add("shared mutex ");
      description.add_address(object);
    });
[[maybe_unused]] const bool lock_shared_described = set_wait_describer(
    WaitKind::kSharedMutexShared, [](const void* object, WaitDescription& description) noexcept {
      description.add("reading behind shared mutex ");
      description.add_address(object);
    });

}  // namespace

/// What is done with the queue bit: each takes it, and lets it go with the new state.
struct SharedMutex::Protocol {
  SharedMutex& mutex;

  /// `holders`: the writer's flag and the readers.
  void publish(std::uintptr_t holders) noexcept {
    const bool waiting = !mutex.writers_.empty() || !mutex.readers_.empty();
    // Release: pairs with the acquire of who takes the bit or the lock next.
    mutex.word_.store(holders | (waiting ? kWaiting : 0), release);
  }

  bool queue_writer(QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(mutex.word_);
    const bool must_wait = held(before);
    if (must_wait) mutex.writers_.push_back(node);
    publish(must_wait ? before & ~kWaiting : kWriter);
    return must_wait;
  }

  bool queue_reader(QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(mutex.word_);
    const bool must_wait = (before & kWriter) != 0 || !mutex.writers_.empty();
    if (must_wait) mutex.readers_.push_back(node);
    publish((before & ~kWaiting) + (must_wait ? 0 : kOneReader));
    return must_wait;
  }

  /// A writer that gives up no longer keeps the readers behind it from joining those that hold the lock.
  void leave_writer(QueueNode& node) noexcept {
    const std::uintptr_t holders = lock_queue(mutex.word_) & ~kWaiting;
    mutex.writers_.remove_if_linked(node);
    if ((holders & kWriter) == 0 && mutex.writers_.empty()) return admit_readers(holders);
    publish(holders);
  }

  void leave_reader(QueueNode& node) noexcept {
    const std::uintptr_t before = lock_queue(mutex.word_);
    mutex.readers_.remove_if_linked(node);
    publish(before & ~kWaiting);
  }

  /// With the queue bit, by one that holds the lock: takes off writers at the front that have given up, a
  /// portion in a section. What the word is then.
  std::uintptr_t drop_gone_writers(std::uintptr_t word) noexcept {
    while (mutex.writers_.drop_gone()) {
      publish(word & ~kWaiting);
      word = lock_queue(mutex.word_);
    }
    return word;
  }

  /// After a writer: all waiting readers, else the next writer.
  void unlock_writer() noexcept {
    const std::uintptr_t before = lock_queue(mutex.word_);
    WEFT_ASSERT((before & kWriter) != 0, "unlock() of a shared mutex that no writer holds",
                WEFT_VALUE(before));
    drop_gone_writers(before);
    admit_readers(0);
  }

  /// After the last reader: the next writer, else the readers behind writers that have all given up.
  void unlock_reader() noexcept {
    WaitChain won;
    std::uintptr_t before = lock_queue(mutex.word_);
    WEFT_ASSERT(held_by_readers(before), "unlock_shared() of a shared mutex that no reader holds",
                WEFT_VALUE(before));
    before = drop_gone_writers(before);
    std::uintptr_t holders = (before & ~kWaiting) - kOneReader;
    if (holders == 0) holders = win_writer(won);
    if (holders == 0) return admit_readers(0);
    publish(holders);
    won.wake_all();
  }

  /// With the queue bit, which it lets go, and `holders` readers: all waiting readers join them; if there are
  /// none, the next writer gets the lock. In portions (docs/design/sync.md): between two of them the caller
  /// holds the lock itself, as a reader. So no writer gets it before all are in, and nobody destroys the
  /// mutex.
  void admit_readers(std::uintptr_t holders) noexcept {
    WaitChain won;
    WaitChain rest = std::exchange(mutex.readers_, {});
    holders += rest.win_portion(won) * kOneReader;
    if (rest.empty()) {
      publish(holders != 0 ? holders : win_writer(won));
      return won.wake_all();
    }
    QueueNode end;
    rest.push_back(end);
    publish(holders + kOneReader);
    won.wake_all();
    for (bool more = true; more;) {
      holders = lock_queue(mutex.word_) & ~kWaiting;
      rest = WaitChain(end.next);
      holders += rest.win_portion(won, &end) * kOneReader;
      more = end.next != &end;
      if (!more) {  // its own share: from the next line on the mutex may be destroyed
        holders -= kOneReader;
        if (holders == 0) holders = win_writer(won);
        if (holders == 0) return admit_readers(0);  // nobody was won: others may wait since
      }
      publish(holders);
      won.wake_all();
    }
  }

  std::uintptr_t win_writer(WaitChain& won) noexcept {
    QueueNode* const writer = mutex.writers_.win_first();
    if (writer == nullptr) return 0;
    won.push_back(*writer);
    return kWriter;
  }

  WaitOutcome lock(WaitWord::Cancellable cancellable, Deadline deadline) noexcept {
    if (mutex.try_lock()) return WaitOutcome::kReady;
    QueueNode own;
    return wait_in_queue(
        own, {WaitKind::kSharedMutex, &mutex}, cancellable, deadline,
        [&](QueueNode& node) { return queue_writer(node); }, [&](QueueNode& node) { leave_writer(node); });
  }

  WaitOutcome lock_shared(WaitWord::Cancellable cancellable, Deadline deadline) noexcept {
    if (mutex.try_lock_shared()) return WaitOutcome::kReady;
    QueueNode own;
    return wait_in_queue(
        own, {WaitKind::kSharedMutexShared, &mutex}, cancellable, deadline,
        [&](QueueNode& node) { return queue_reader(node); }, [&](QueueNode& node) { leave_reader(node); });
  }
};

void SharedMutex::lock() noexcept { Protocol{*this}.lock(WaitWord::Cancellable::kNo, Deadline::never()); }

Result<void> SharedMutex::lock_until(Deadline deadline) noexcept {
  return result_of_outcome(Protocol{*this}.lock(WaitWord::Cancellable::kYes, deadline));
}

// The queue bit alone is no reason to fail: its holder may be one that leaves, with nobody holding the lock.
bool SharedMutex::try_lock() noexcept {
  SpinBackoff backoff;
  std::uintptr_t before = word_.load(relaxed);
  while (!held(before)) {
    if (before != 0) {
      backoff.pause();
      before = word_.load(relaxed);
    } else if (word_.compare_exchange_weak(before, kWriter, acquire, relaxed)) {
      return true;
    }
  }
  return false;
}

void SharedMutex::unlock() noexcept {
  std::uintptr_t expected = kWriter;
  if (!word_.compare_exchange_strong(expected, 0, release, relaxed)) Protocol{*this}.unlock_writer();
}

void SharedMutex::lock_shared() noexcept {
  Protocol{*this}.lock_shared(WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> SharedMutex::lock_shared_until(Deadline deadline) noexcept {
  return result_of_outcome(Protocol{*this}.lock_shared(WaitWord::Cancellable::kYes, deadline));
}

bool SharedMutex::try_lock_shared() noexcept {
  SpinBackoff backoff;
  std::uintptr_t before = word_.load(relaxed);
  while ((before & (kWaiting | kWriter)) == 0) {
    if ((before & kQueueBit) != 0) {
      backoff.pause();
      before = word_.load(relaxed);
    } else if (word_.compare_exchange_weak(before, before + kOneReader, acquire, relaxed)) {
      return true;
    }
  }
  return false;
}

void SharedMutex::unlock_shared() noexcept {
  std::uintptr_t before = word_.load(relaxed);
  while ((before & (kQueueBit | kWaiting)) == 0 && held_by_readers(before)) {
    // Release: what this reader read is read before the next writer writes.
    if (word_.compare_exchange_weak(before, before - kOneReader, release, relaxed)) return;
  }
  Protocol{*this}.unlock_reader();
}

}  // namespace weft
