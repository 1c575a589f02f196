// SPDX-License-Identifier: Apache-2.0
// The branch of a select that sends to a channel or receives from one.
#include "sync/channel_core.hpp"
#include "sync/select_node.hpp"

#include <weft/detail/select_branch.hpp>

namespace weft::detail {

// The branch's memory holds a Handover from a successful poll to its end, a ChannelNode while it waits.
static_assert(sizeof(ChannelNode) <= 48 && sizeof(Handover) <= 48);

SpinLock* ChannelBranch::lock() noexcept { return &channel_.lock(); }

bool ChannelBranch::poll_locked() noexcept {
  Handover& handover = *new (node_) Handover();
  polled_ = operation_ == Operation::kSend ? channel_.send_locked(element_, handover)
                                           : channel_.receive_locked(element_, handover);
  return polled_ != ChannelStatus::kWouldBlock;
}

// Of the channel only what never changes is read after the unlock, and before the partner is woken: until
// then the partner is inside a call, and so the channel is there. Without a partner nothing is read.
void ChannelBranch::finish_poll() noexcept {
  const Handover& handover = node_in<Handover>(node_);
  if (handover.partner != nullptr) ChannelCore::complete(handover, channel_.type());
}

void ChannelBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  auto& node = make_node<ChannelNode>(node_, self, ticket);
  node.element = element_;
  node.win = outcome_of_rank(rank);
  operation_ == Operation::kSend ? channel_.add_sender_locked(node) : channel_.add_receiver_locked(node);
}

void ChannelBranch::describe(WaitDescription& description) const noexcept {
  const WaitKind kind = operation_ == Operation::kSend ? WaitKind::kSend : WaitKind::kReceive;
  describe_wait({kind, &channel_}, description);
}

void ChannelBranch::remove_locked() noexcept {
  auto& node = node_in<ChannelNode>(node_);
  operation_ == Operation::kSend ? channel_.remove_sender_locked(node)
                                 : channel_.remove_receiver_locked(node);
}

ChannelStatus ChannelBranch::status() const noexcept {
  if (polled_ != ChannelStatus::kWouldBlock) return polled_;
  const auto& node = *std::launder(reinterpret_cast<const ChannelNode*>(node_));
  return node.transferred ? ChannelStatus::kDone : ChannelStatus::kClosed;
}

}  // namespace weft::detail
