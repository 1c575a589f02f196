// SPDX-License-Identifier: Apache-2.0
// The branches of a select that receive from a broadcast channel or send to it. A receive waits for a level:
// whoever sends wins the select with kReady, and it looks again. A send is a transfer: whoever makes room
// takes the value of the branch, and names it.
#include "sync/broadcast/broadcast_core.hpp"
#include "sync/select_node.hpp"

#include <memory>
#include <new>

namespace weft::detail {

static_assert(sizeof(PositionNode) <= 48 && sizeof(ChannelNode) <= 48);

namespace {

void finish_aftermath(BroadcastCore& core, std::byte* memory) noexcept {
  auto& after = node_in<BroadcastAftermath>(memory);
  BroadcastCore::finish(core, after);
  std::destroy_at(&after);
}

}  // namespace

SpinLock* BroadcastReceiveBranch::lock() noexcept { return &core_.lock(); }

bool BroadcastReceiveBranch::poll_locked() noexcept {
  status_ = core_.receive_locked(subscription_, value_);
  if (status_ == ChannelStatus::kWouldBlock) return false;
  core_.settle_locked(*new (aftermath_) BroadcastAftermath());
  return true;
}

void BroadcastReceiveBranch::finish_poll() noexcept { finish_aftermath(core_, aftermath_); }

void BroadcastReceiveBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  core_.add_receiver_locked(subscription_, make_node<PositionNode>(node_, self, ticket));
}

void BroadcastReceiveBranch::remove_locked() noexcept {
  core_.remove_receiver_locked(subscription_, node_in<PositionNode>(node_));
}

void BroadcastReceiveBranch::describe(WaitDescription& description) const noexcept {
  describe_wait({WaitKind::kBroadcastReceive, &core_}, description);
}

SpinLock* BroadcastSendBranch::lock() noexcept { return &core_.lock(); }

bool BroadcastSendBranch::poll_locked() noexcept {
  auto& after = *new (aftermath_) BroadcastAftermath();
  polled_ = core_.send_locked(value_, after);
  if (polled_ == ChannelStatus::kWouldBlock) {
    std::destroy_at(&after);
    return false;
  }
  core_.settle_locked(after);
  return true;
}

void BroadcastSendBranch::finish_poll() noexcept { finish_aftermath(core_, aftermath_); }

void BroadcastSendBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  auto& node = make_node<ChannelNode>(node_, self, ticket);
  node.element = &value_;
  node.win = outcome_of_rank(rank);
  core_.add_sender_locked(node);
}

void BroadcastSendBranch::remove_locked() noexcept {
  core_.remove_sender_locked(node_in<ChannelNode>(node_));
}

void BroadcastSendBranch::describe(WaitDescription& description) const noexcept {
  describe_wait({WaitKind::kBroadcastSend, &core_}, description);
}

ChannelStatus BroadcastSendBranch::status() const noexcept {
  if (polled_ != ChannelStatus::kWouldBlock) return polled_;
  const auto& node = *std::launder(reinterpret_cast<const ChannelNode*>(node_));
  return node.transferred ? ChannelStatus::kDone : ChannelStatus::kClosed;
}

}  // namespace weft::detail
