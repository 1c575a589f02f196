// SPDX-License-Identifier: Apache-2.0
// The branch of a select that receives a signal. Whoever brings one wins the select's wait with kRetry, and
// the select looks again: the signal stays in the set until it is taken.
#include "sync/select_node.hpp"
#include "sync/signals/signal_set_core.hpp"

#include <weft/signal_set.hpp>

namespace weft::detail {

SpinLock* SignalBranch::lock() noexcept { return &set_.lock(); }

void SignalBranch::prepare() noexcept { SignalRegistry::deliver(); }

bool SignalBranch::poll_locked() noexcept { return set_.pop_locked(signal_); }

void SignalBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  set_.waiters_locked().push_back(make_node<WaitNode>(node_, self, ticket));
}

void SignalBranch::remove_locked() noexcept {
  auto& node = node_in<WaitNode>(node_);
  if (node.linked()) set_.waiters_locked().remove(node);
}

void SignalBranch::describe(WaitDescription& description) const noexcept { set_.describe(description); }

}  // namespace weft::detail
