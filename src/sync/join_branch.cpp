// SPDX-License-Identifier: Apache-2.0
// The branch of a select that waits for the end of a fiber. The end is for ever: whoever brings it wins the
// select's wait with kReady, and the select finds out on its next look whose end it was.
#include "fiber/fiber.hpp"
#include "fiber/join.hpp"
#include "sync/select_node.hpp"

#include <weft/detail/select_branch.hpp>

namespace weft::detail {

SpinLock* JoinBranch::lock() noexcept { return &fiber_.join_lock; }

JoinBranch::JoinBranch(Fiber& fiber) noexcept : fiber_(fiber), id_(fiber.id) {}

// The fiber may be gone, if another one took its handle away: its memory is a fiber's still.
bool JoinBranch::poll_locked() noexcept {
  const bool gone = fiber_.id != id_ || fiber_.slot().references.load(relaxed) == 0;
  WEFT_ASSERT(!gone, "a join handle was joined, detached or moved while a select waited for its fiber",
              WEFT_VALUE(id_));
  return fiber_.done;
}

void JoinBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  WEFT_ASSERT(&self != &fiber_, "a fiber waits for its own end", WEFT_VALUE(fiber_.id));
  WEFT_ASSERT(!awaited_by_another_locked(fiber_, self), "two fibers join one handle at once",
              WEFT_VALUE(fiber_.id));
  fiber_.joiners.push_back(make_node<WaitNode>(node_, self, ticket));
}

void JoinBranch::describe(WaitDescription& description) const noexcept {
  description.add("the end of fiber #");
  description.add_number(fiber_.id);
}

void JoinBranch::remove_locked() noexcept {
  auto& node = node_in<WaitNode>(node_);
  if (node.linked()) fiber_.joiners.remove(node);
}

}  // namespace weft::detail
