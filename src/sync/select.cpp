// SPDX-License-Identifier: Apache-2.0
// A select: locks all sources, looks at them, queues at all of them, unlocks, waits (docs/design/select.md).
//
// Thread safety: the plan and its branches are the selecting fiber's (or plain thread's), but for the nodes.
// Guarantees: one branch is taken; it is won by the selecting fiber under all locks, before its own wait has
// begun, or by somebody else through the wait word, never by both.
#include "base/opaque.hpp"
#include "base/spin_lock.hpp"
#include "fiber/budget.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/waiter.hpp"

#include <weft/detail/select_branch.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

namespace weft::detail {
namespace {

using Branches = std::span<SelectBranch* const>;

/// A plain thread's state of random numbers.
WEFT_OPAQUE std::uint32_t& thread_random_state() noexcept {
  static thread_local constinit std::uint32_t state = 1;
  std::uint32_t* address = &state;
  asm volatile("" : "+r"(address)::"memory");  // see this_runner()
  return *address;
}

/// Marsaglia's xorshift: enough for choices that nobody predicts on purpose.
std::uint32_t next_random() noexcept {
  Runner* const runner = this_runner();
  std::uint32_t& state = runner != nullptr ? runner->random_state : thread_random_state();
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/// In [0, size).
std::size_t random_below(std::size_t size) noexcept {
  return static_cast<std::size_t>((std::uint64_t{next_random()} * size) >> 32);
}

// By insertion: there are few, and most selects come with the same order again and again.
void sort_by_lock(std::span<SelectBranch*> branches) noexcept {
  for (std::size_t i = 0; i < branches.size(); ++i) {
    SelectBranch* const branch = branches[i];
    branch->guard = branch->lock();
    std::size_t hole = i;
    for (; hole > 0 && std::less<>()(branch->guard, branches[hole - 1]->guard); --hole) {
      branches[hole] = branches[hole - 1];
    }
    branches[hole] = branch;
  }
  for (std::size_t i = 0; i < branches.size(); ++i) branches[i]->rank = static_cast<std::uint16_t>(i);
}

/// Calls `visit(SpinLock&)` for each lock once, in the order of locks.
template <class Visit>
void for_each_lock(Branches by_lock, Visit&& visit) noexcept {
  const SpinLock* previous = nullptr;
  for (SelectBranch* const branch : by_lock) {
    if (branch->guard != previous) visit(*branch->guard);  // those without a lock stand first
    previous = branch->guard;
  }
}

/// The locks of all branches, for a scope.
class AllLocks {
 public:
  explicit AllLocks(Branches by_lock) noexcept : by_lock_(by_lock) {
    for_each_lock(by_lock_, [](SpinLock& lock) { lock.lock(); });
  }
  ~AllLocks() {
    for_each_lock(by_lock_, [](SpinLock& lock) { lock.unlock(); });
  }
  AllLocks(const AllLocks&) = delete;
  AllLocks& operator=(const AllLocks&) = delete;

 private:
  const Branches by_lock_;
};

/// The first branch that could be taken, taken; null if none can. A random order is made as far as it is
/// looked at: each place gets one of those that are left.
SelectBranch* poll_locked(std::span<SelectBranch*> in_order, bool fair) noexcept {
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const std::size_t left = in_order.size() - i;
    if (fair && left > 1) std::swap(in_order[i], in_order[i + random_below(left)]);
    if (in_order[i]->poll_locked()) return in_order[i];
  }
  return nullptr;
}

/// Calls `visit(branch)` for those that have something to do without locks.
template <class Visit>
void for_each_unlocked(Branches branches, Visit&& visit) noexcept {
  for (SelectBranch* const branch : branches) {
    if (branch->works_unlocked) [[unlikely]]
      visit(*branch);
  }
}

/// Takes the nodes off the lists before their frame dies (P1). A node that was won is off already, and its
/// source may be gone.
void remove_nodes(Branches by_lock, const SelectBranch* won) noexcept {
  for (SelectBranch* const branch : by_lock) {
    if (branch == won || branch->guard == nullptr) continue;
    std::scoped_lock lock(*branch->guard);
    branch->remove_locked();
  }
}

void describe_select(const void* object, WaitDescription& description) noexcept {
  const auto& plan = *static_cast<const SelectPlan*>(object);
  description.add("one of: ");
  for (std::size_t i = 0; i < plan.count; ++i) {
    if (i != 0) description.add("; ");
    plan.by_lock[i]->describe(description);
  }
}
[[maybe_unused]] const bool select_described = set_wait_describer(WaitKind::kSelect, describe_select);

constexpr std::uint16_t kFirst = static_cast<std::uint16_t>(WaitOutcome::kFirstBranch);

/// One select, from the first look to the last.
class Selection {
 public:
  explicit Selection(SelectPlan& plan) noexcept
      : plan_(plan), in_order_(plan.in_order, plan.count), by_lock_(plan.by_lock, plan.count) {
    sort_by_lock({plan.by_lock, plan.count});
  }
  ~Selection() {
    for_each_unlocked(by_lock_, [](SelectBranch& branch) { branch.leave(); });
  }
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  std::size_t run() noexcept {
    std::size_t taken = kNoBranch;
    while (!look(taken) && !wait(taken)) {}
    return taken;
  }

 private:
  // True: `taken` was taken, or nothing is to be waited for. False: all nodes are queued.
  bool look(std::size_t& taken) noexcept {
    plan_.look_again = Deadline::never();
    for_each_unlocked(by_lock_, [](SelectBranch& waiting) { waiting.prepare(); });
    until_ = std::min(plan_.deadline, plan_.look_again);
    SelectBranch* branch = nullptr;
    {
      AllLocks locks(by_lock_);
      branch = poll_locked(in_order_, plan_.fair);
      if (branch == nullptr && !plan_.has_otherwise) {
        const WaitTicket ticket =
            self_.begin(WaitWord::Cancellable::kYes, until_.time_ns(), {WaitKind::kSelect, &plan_});
        // In the order of the look: of two branches at one source, whoever comes finds each first as often.
        for (SelectBranch* const waiting : in_order_) waiting->add_locked(self_, ticket);
        return false;
      }
    }
    taken = branch != nullptr ? branch->position : plan_.otherwise_position;
    if (branch != nullptr) branch->finish_poll();
    return true;
  }

  // False: one of the sources may be ready now, look again.
  bool wait(std::size_t& taken) noexcept {
    for_each_unlocked(by_lock_, [](SelectBranch& branch) { branch.queued(); });
    const WaitOutcome outcome = self_.wait();
    SelectBranch* won = nullptr;
    if (outcome >= WaitOutcome::kFirstBranch) won = by_lock_[static_cast<std::uint16_t>(outcome) - kFirst];
    remove_nodes(by_lock_, won);
    if (won != nullptr) {
      taken = won->position;
      return true;
    }
    return ended_without_branch(outcome, taken);
  }

  // By the select's own deadline, which is a branch; by that of a source, which is ready now; or from
  // outside.
  bool ended_without_branch(WaitOutcome outcome, std::size_t& taken) noexcept {
    if (outcome != WaitOutcome::kTimedOut && outcome != WaitOutcome::kCancelled) return false;
    const bool own_deadline = outcome == WaitOutcome::kTimedOut && !until_.is_never() &&
                              self_.deadline_ns.load(relaxed) == until_.time_ns();
    if (!own_deadline) {
      plan_.error = error_of_outcome(outcome);
      return true;
    }
    if (plan_.look_again <= plan_.deadline) return false;  // what is ready comes before the deadline
    taken = plan_.deadline_position;
    return true;
  }

  SelectPlan& plan_;
  const std::span<SelectBranch*> in_order_;
  const Branches by_lock_;
  Deadline until_;
  Waiter& self_ = Waiter::current();
};

}  // namespace

std::size_t select_branch(SelectPlan& plan) noexcept {
  const WaitOutcome spent = spend_budget_before(this_runner());
  if (spent == WaitOutcome::kReady) [[likely]]
    return Selection(plan).run();
  plan.error = error_of_outcome(spent);
  return kNoBranch;
}

}  // namespace weft::detail
