// SPDX-License-Identifier: Apache-2.0
#include "fiber/join.hpp"

#include "base/portion.hpp"
#include "fiber/escaped_exception.hpp"
#include "fiber/fiber.hpp"

#include <mutex>
#include <utility>

namespace weft {
namespace {

/// Takes joiners off, a portion at most, and keeps those whose wait is won by this. Losers have found another
/// end.
void win_joiners_locked(Fiber& fiber, WaitList& won) noexcept {
  for (std::uint32_t count = 0; count < kPortion; ++count) {
    WaitNode* const node = fiber.joiners.pop_front();
    if (node == nullptr) return;
    if (node->waiter->word.try_win(node->ticket, WaitOutcome::kReady)) won.push_back(*node);
  }
}

/// A node's frame lives until its waiter is woken: the next one is read before.
void wake_all(WaitList& won) noexcept {
  while (WaitNode* const node = won.pop_front()) node->waiter->wake();
}

/// None comes any more: it is done. Its run keeps it.
[[gnu::cold, gnu::noinline]] void win_other_joiners(Fiber& fiber) noexcept {
  for (bool more = true; more;) {
    WaitList won;
    {
      std::scoped_lock locked(fiber.join_lock);
      win_joiners_locked(fiber, won);
      more = !fiber.joiners.empty();
    }
    wake_all(won);
  }
}

enum class Added { kWaits, kDone, kRefused };

Added add_joiner(Fiber& fiber, WaitNode& node, Joiners joiners) noexcept {
  std::scoped_lock locked(fiber.join_lock);
  if (fiber.done) return Added::kDone;
  if (joiners == Joiners::kOne && awaited_by_another_locked(fiber, *node.waiter)) [[unlikely]]
    return Added::kRefused;
  fiber.joiners.push_back(node);
  return Added::kWaits;
}

/// Before the node's frame dies (P1).
void remove_joiner(Fiber& fiber, WaitNode& node) noexcept {
  std::scoped_lock locked(fiber.join_lock);
  if (node.linked()) fiber.joiners.remove(node);
}

}  // namespace

// `done` and `detached` are set under the lock, each looks at the other: exactly one side finds that it came
// second, and destroys the result.
bool complete_fiber(Fiber& fiber) noexcept {
  WaitList won;
  bool detached = false;
  bool unreceived = false;
  bool more = false;
  {
    std::scoped_lock locked(fiber.join_lock);
    fiber.done = true;
    detached = fiber.detached;
    unreceived = detached && fiber.exception != nullptr;
    if (!fiber.joiners.empty()) {
      win_joiners_locked(fiber, won);
      more = !fiber.joiners.empty();
    }
  }
  if (unreceived) [[unlikely]]
    terminate_for_exception(fiber);
  wake_all(won);
  if (more) [[unlikely]]
    win_other_joiners(fiber);
  return detached;
}

// One that has given up, and is on its way out, does not count.
bool awaited_by_another_locked(Fiber& fiber, const Waiter& self) noexcept {
  bool awaited = false;
  fiber.joiners.for_each([&](const WaitNode& node) {
    awaited = awaited || (node.waiter != &self && node.waiter->word.waits(node.ticket));
  });
  return awaited;
}

WaitOutcome join_fiber(Fiber& fiber, Deadline deadline, WaitWord::Cancellable cancellable,
                       Joiners joiners) noexcept {
  if (fiber_done(fiber)) return WaitOutcome::kReady;
  Waiter& self = Waiter::current();
  WEFT_ASSERT(&self != &fiber, "a fiber joins itself", WEFT_VALUE(fiber.id));
  WaitNode node;
  node.waiter = &self;
  node.ticket = self.begin(cancellable, deadline.time_ns(), {WaitKind::kJoin, &fiber});
  const Added added = add_joiner(fiber, node, joiners);
  WEFT_ASSERT(added != Added::kRefused, "two fibers join one handle at once", WEFT_VALUE(fiber.id));
  if (added == Added::kDone) {
    if (self.word.try_win(node.ticket, WaitOutcome::kReady)) return WaitOutcome::kReady;
  }
  const WaitOutcome outcome = self.wait();
  if (outcome != WaitOutcome::kReady) remove_joiner(fiber, node);
  return outcome;
}

bool fiber_done(Fiber& fiber) noexcept {
  std::scoped_lock locked(fiber.join_lock);
  return fiber.done;
}

bool fiber_detached(Fiber& fiber) noexcept {
  std::scoped_lock locked(fiber.join_lock);
  return fiber.detached;
}

std::exception_ptr take_fiber_exception(Fiber& fiber) noexcept {
  std::scoped_lock locked(fiber.join_lock);
  return std::exchange(fiber.exception, nullptr);
}

void detach_fiber(Fiber& fiber) noexcept {
  std::unique_lock locked(fiber.join_lock);
  fiber.detached = true;
  if (!fiber.done) [[likely]]
    return;
  const bool unreceived = fiber.exception != nullptr;
  locked.unlock();
  if (unreceived) terminate_for_exception(fiber);
  fiber.drop_storage();
}

}  // namespace weft
