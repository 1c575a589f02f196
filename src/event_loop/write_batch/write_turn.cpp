// SPDX-License-Identifier: Apache-2.0
#include "event_loop/write_batch/write_turn.hpp"

#include "base/panic.hpp"
#include "base/portion.hpp"
#include "base/spin_backoff.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "fiber/outcome_error.hpp"

#include <mutex>

namespace weft {
namespace {

/// What becomes of a turn whose owner has put its write off.
enum class PutOffTurn { kTaken, kKept, kInTheKernel };

// A write that is over needs its turn no more, whatever its fiber waits for. One that is queued would keep
// the turn for as long as its thread likes: its fiber is told to make it. One that is being sent is over
// soon.
PutOffTurn ask_for_turn_locked(Descriptor& descriptor, FiberQueue& won) noexcept {
  PutOffWrite& owner = *descriptor.put_off;
  WriteWord& word = owner.slot->word;
  if (!word.is_over(owner.ticket_of_slot)) {
    const bool withdrawn = word.withdraw(owner.ticket_of_slot);
    if (!withdrawn && word.fate(owner.ticket_of_slot) == WriteWord::Fate::kSending)
      return PutOffTurn::kInTheKernel;
    if (!word.is_over(owner.ticket_of_slot)) {
      win_put_off_locked(descriptor, won);
      return PutOffTurn::kKept;
    }
  }
  owner.turn_taken = true;
  descriptor.put_off = nullptr;
  return PutOffTurn::kTaken;
}

// U5. After a node has left the list of writers.
void update_awaited_turn_locked(Descriptor& descriptor) noexcept {
  if (descriptor.writers.empty()) descriptor.usage.nobody_awaits_turn_locked();
}

// To the first of a portion of writers that still waits. False: none of them does, and others are left.
bool pass_turn_to_write_locked(Descriptor& descriptor, FiberQueue& won) noexcept {
  for (std::uint32_t left = kPortion; left != 0; --left) {
    WaitNode* const node = descriptor.writers.pop_front();
    if (node == nullptr) break;
    if (!node->waiter->word.try_win(node->ticket, WaitOutcome::kReady)) continue;
    won.push(static_cast<Fiber&>(*node->waiter));
    update_awaited_turn_locked(descriptor);
    return true;
  }
  if (!descriptor.writers.empty()) return false;
  descriptor.usage.end_turns_locked();
  return true;
}

// The turn is never free meanwhile (WT2).
void pass_turn_to_write(Descriptor& descriptor) noexcept {
  FiberQueue won;
  for (bool passed = false; !passed;) {
    std::scoped_lock lock(descriptor.lock);
    passed = pass_turn_to_write_locked(descriptor, won);
  }
  wake_all(won);
}

enum class Begun { kTurn, kWait, kLater, kClosed };

// REQUIRES: the caller is a user.
Begun begin_wait_for_turn(Descriptor& descriptor, Waiter& self, WaitNode& node, Deadline deadline,
                          FiberQueue& won) noexcept {
  std::scoped_lock lock(descriptor.lock);
  if (descriptor.usage.closing()) return Begun::kClosed;
  WEFT_ASSERT(!descriptor.usage.turn_is_lost(),
              "a child of fork() writes to a socket to which a fiber of its parent was writing at the time",
              WEFT_VALUE(descriptor.fd));
  // In a child of fork() the owner is the parent's: to wait is a BUG, which names this fiber and the wait.
  if (descriptor.put_off != nullptr && !DescriptorArena::instance().has_parents_users(descriptor)) {
    const PutOffTurn asked = ask_for_turn_locked(descriptor, won);
    if (asked == PutOffTurn::kTaken) return Begun::kTurn;
    if (asked == PutOffTurn::kInTheKernel) return Begun::kLater;
  }
  if (descriptor.usage.take_turn_or_announce_locked()) return Begun::kTurn;
  node.waiter = &self;
  node.ticket =
      self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), waiting_for(descriptor, Direction::kWrite));
  descriptor.writers.push_back(node);
  return Begun::kWait;
}

Result<void> wait_for_turn(Descriptor& descriptor, Deadline deadline) noexcept {
  Waiter& self = this_fiber_required("waiting for the turn to write");
  WaitNode node;
  FiberQueue won;
  Begun begun = begin_wait_for_turn(descriptor, self, node, deadline, won);
  for (SpinBackoff backoff; begun == Begun::kLater;) {
    backoff.pause();  // for the length of a system call
    begun = begin_wait_for_turn(descriptor, self, node, deadline, won);
  }
  wake_all(won);
  if (begun == Begun::kTurn) return {};
  if (begun == Begun::kClosed) return Errc::closed;
  const WaitOutcome outcome = self.wait();
  if (!won_through_list(outcome)) {
    std::scoped_lock lock(descriptor.lock);
    if (node.linked()) {
      descriptor.writers.remove(node);
      update_awaited_turn_locked(descriptor);
    }
  }
  return result_of_outcome(outcome);
}

}  // namespace

void WriteTurn::wait(DescriptorHandle handle, Deadline deadline) noexcept {
  bool last = false;
  Descriptor& descriptor = *handle.descriptor;
  if (descriptor.usage.enter(handle.generation, last)) {
    const Result<void> waited = wait_for_turn(descriptor, deadline);
    if (waited) {
      descriptor_ = &descriptor;
      return;
    }
    error_ = static_cast<Errc>(waited.error().value());
    last = descriptor.usage.leave();
  }
  if (last) retire_descriptor(descriptor);
}

[[gnu::cold, gnu::noinline]] void WriteTurn::leave_slow(UsageWord::Exit exit) noexcept {
  Descriptor& descriptor = *descriptor_;
  if (exit == UsageWord::Exit::kAwaited) {
    if (held_) pass_turn_to_write(descriptor);
    if (!descriptor.usage.leave()) return;
  }
  retire_descriptor(descriptor);
}

[[gnu::noinline]] void WriteTurn::give_up_slow() noexcept {
  held_ = false;
  if (!descriptor_->usage.give_up_turn()) pass_turn_to_write(*descriptor_);
}

}  // namespace weft
