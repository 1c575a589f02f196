// SPDX-License-Identifier: Apache-2.0
// The branch of a select that waits until a descriptor may be ready. Readiness is a hint, and no branch takes
// it away: whoever brings it wins the select's wait with kReady, and the select looks again. What it leaves
// unused is passed on (L4).
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/registration/registration.hpp"
#include "fiber/runner.hpp"
#include "sync/select_node.hpp"

#include <weft/detail/select_branch.hpp>

namespace weft::detail {
namespace {

struct ReadinessNode : WaitNode {
  WaitPlan plan;
};
static_assert(sizeof(ReadinessNode) <= 48);

Registrar& registrar_here() noexcept { return *this_runner()->event_loop; }

Direction direction_of(ReadinessBranch::Operation operation) noexcept {
  return operation == ReadinessBranch::Operation::kRead ? Direction::kRead : Direction::kWrite;
}

}  // namespace

// From here to leave() the fiber is a user of the descriptor: its number is not given back (L9).
SpinLock* ReadinessBranch::lock() noexcept {
  this_fiber_required("a select over a descriptor");
  if (buffered_) return nullptr;  // ready, whatever the descriptor says
  result_ = Errc::closed;
  if (handle_.descriptor == nullptr) return nullptr;
  bool last = false;
  entered_ = handle_.descriptor->usage.enter(handle_.generation, last);
  if (last) retire_descriptor(*handle_.descriptor);
  if (!entered_) return nullptr;
  result_ = {};
  return &handle_.descriptor->lock;
}

void ReadinessBranch::prepare() noexcept {
  ready_ = buffered_ || !result_;  // closed, or a registration failed in the last round
  if (ready_) return;
  const Result<bool> ready = Files::look(*handle_.descriptor, direction_of(operation_));
  if (!ready) result_ = ready.error();
  ready_ = !ready || *ready;
}

bool ReadinessBranch::poll_locked() noexcept {
  if (!entered_) return true;
  if (handle_.descriptor->usage.closing()) result_ = Errc::closed;
  // Ready by now: an edge came after prepare() (L3).
  return ready_ || !result_ || handle_.descriptor->readiness.load().ready(direction_of(operation_));
}

void ReadinessBranch::add_locked(Waiter& self, const WaitTicket& ticket) noexcept {
  auto& node = make_node<ReadinessNode>(node_, self, ticket);
  node.plan = registrar_here().plan_wait_locked(*handle_.descriptor, direction_of(operation_));
  add_waiter_locked(*handle_.descriptor, direction_of(operation_), node);
}

void ReadinessBranch::queued() noexcept {
  const auto& node = node_in<ReadinessNode>(node_);
  if (node.plan.step != WaitPlan::Step::kNothing) {
    result_ = registrar_here().carry_out(*handle_.descriptor, node.plan);
  }
}

void ReadinessBranch::describe(WaitDescription& description) const noexcept {
  description.add(operation_ == Operation::kRead ? "reading from fd " : "writing to fd ");
  description.add_number(static_cast<std::uint64_t>(handle_.descriptor->fd));
  description.external = true;
}

void ReadinessBranch::remove_locked() noexcept {
  remove_waiter_locked(*handle_.descriptor, direction_of(operation_), node_in<ReadinessNode>(node_));
}

void ReadinessBranch::leave() noexcept {
  if (!entered_) return;
  Descriptor& descriptor = *handle_.descriptor;
  settle_after_wait(descriptor);
  pass_turn(descriptor, direction_of(operation_));
  if (descriptor.usage.leave()) retire_descriptor(descriptor);
}

}  // namespace weft::detail
