// SPDX-License-Identifier: Apache-2.0
// A receiver of a watch channel, and its branch of a select. Whoever sends wins the select's wait with
// kReady, and it looks again.
#include "base/panic.hpp"
#include "sync/select_node.hpp"
#include "sync/watch/watch_core.hpp"

#include <utility>

namespace weft::detail {

WatchPlace::WatchPlace(WatchCore& core) noexcept : core_(&core) { core.subscribe(*this); }

void WatchPlace::take_over(WatchPlace& other) noexcept {
  if (other.core_ != nullptr) other.core_->require_unused(other);
  core_ = std::exchange(other.core_, nullptr);
  seen_ = other.seen_;
}

WatchPlace::WatchPlace(WatchPlace&& other) noexcept { take_over(other); }

WatchPlace& WatchPlace::operator=(WatchPlace&& other) noexcept {
  if (this == &other) return *this;
  leave();
  take_over(other);
  return *this;
}

void WatchPlace::leave() noexcept {
  if (WatchCore* const core = std::exchange(core_, nullptr)) core->unsubscribe(*this);
}

WatchCore& WatchPlace::core() const noexcept {
  WEFT_ASSERT(core_ != nullptr, "a watch receiver is used after it was moved from");
  return *core_;
}

ChannelStatus WatchPlace::changed(SharedValue& value, Deadline deadline) noexcept {
  return core().changed(*this, value, deadline);
}
ChannelStatus WatchPlace::try_changed(SharedValue& value) noexcept {
  return core().try_changed(*this, value);
}
SharedValue WatchPlace::get() const noexcept {
  std::uint64_t version = 0;
  return core().get(version);
}
bool WatchPlace::has_changed() const noexcept { return core().has_changed(*this); }
bool WatchPlace::closed() const noexcept { return core().closed(); }

static_assert(sizeof(PositionNode) <= 48);

SpinLock* ChangedBranch::lock() noexcept { return &core_.lock(); }

bool ChangedBranch::poll_locked() noexcept {
  status_ = core_.changed_locked(place_, value_);
  return status_ != ChannelStatus::kWouldBlock;
}

void ChangedBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  core_.add_receiver_locked(place_, make_node<PositionNode>(node_, self, ticket));
}

void ChangedBranch::remove_locked() noexcept {
  core_.remove_receiver_locked(place_, node_in<PositionNode>(node_));
}

void ChangedBranch::describe(WaitDescription& description) const noexcept {
  describe_wait({WaitKind::kChange, &core_}, description);
}

}  // namespace weft::detail
