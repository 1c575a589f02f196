// SPDX-License-Identifier: Apache-2.0
#include "fiber/cancel_node.hpp"

#include "base/clock.hpp"
#include "base/panic.hpp"
#include "fiber/waiter.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weft {

// -- structure ----------------------------------------------------------------------------------------------

void CancelNode::link_locked(CancelNode& parent, Waiter* waiter, std::int64_t deadline_ns) noexcept {
  waiter_ = waiter;
  parent_ = &parent;
  deadline_ns_ = std::min(deadline_ns, parent.deadline_ns_);
  shielded_ = parent.shielded_;
  // Under the parent's lock: who ends the parent has done so already, or will find this child (R6).
  ended_.store(parent.ended_.load(relaxed), relaxed);
  next_ = parent.first_child_;
  if (next_ != nullptr) next_->previous_ = this;
  parent.first_child_ = this;
}

void CancelNode::unlink_locked() noexcept {
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : parent_->first_child_) = next_;
}

void CancelNode::link(CancelNode* parent, Waiter* waiter, std::int64_t deadline_ns) noexcept {
  if (parent != nullptr) {
    std::scoped_lock locked(parent->lock_);
    return link_locked(*parent, waiter, deadline_ns);
  }
  waiter_ = waiter;
  deadline_ns_ = deadline_ns;
}

void CancelNode::unlink() noexcept {
  if (parent_ != nullptr) {
    std::scoped_lock locked(parent_->lock_);
    unlink_locked();
  }
  CancelListener* listener = nullptr;
  {
    std::scoped_lock locked(lock_);  // whoever was in end() for this node has left it (R5)
    WEFT_ASSERT(first_child_ == nullptr, "a cancel scope ends before a group that was made in it");
    listener = std::exchange(listener_, nullptr);
  }
  if (listener != nullptr) listener->release();
}

void CancelNode::enter(std::int64_t deadline_ns, Shield shield) noexcept {
  Waiter& self = Waiter::current();
  outer_ = self.scope.load(relaxed);
  link(shield == Shield::kYes ? nullptr : outer_, &self, deadline_ns);
  if (shield == Shield::kYes) shielded_ = true;
  self.scope.store(this, relaxed);  // no wait of ours is going on: published by the next begin()
}

void CancelNode::leave() noexcept {
  Waiter& self = Waiter::current();
  WEFT_ASSERT(&self == waiter_ && self.scope.load(relaxed) == this,
              "cancel scopes are left in the order reverse to that in which they were entered");
  self.scope.store(outer_, relaxed);
  // What stopped somebody in here counts for the scope around it, if it came from there or from above.
  if (stopped_ != WaitOutcome::kReady && outer_ != nullptr && outer_ == parent_ &&
      (outer_->ended() != WaitOutcome::kReady || self.word.cancel_requested()))
    outer_->note_stopped(stopped_);
  unlink();
}

// -- ending -------------------------------------------------------------------------------------------------

void CancelNode::end(WaitOutcome reason) noexcept {
  CancelSweep sweep(reason);
  sweep.run(*this);
  sweep.finish();
}

void CancelNode::expire() noexcept {
  CancelNode* top = this;
  while (top->parent_ != nullptr && top->parent_->deadline_ns_ == deadline_ns_) top = top->parent_;
  top->end(WaitOutcome::kTimedOut);
}

WaitOutcome CancelNode::status() noexcept {
  const WaitOutcome known = ended();
  if (known != WaitOutcome::kReady || deadline_ns_ == kNoDeadline || now_ns() < deadline_ns_) return known;
  expire();
  return ended();  // the reason of whoever was first (R7)
}

void CancelNode::set_listener(CancelListener& listener) noexcept {
  {
    std::scoped_lock locked(lock_);
    WEFT_ASSERT(listener_ == nullptr, "a cancel scope has one listener");
    listener.reference();
    listener_ = &listener;
    if (ended_.load(relaxed) == WaitOutcome::kReady) return;
  }
  listener.node_ended();
}

// -- the sweep ----------------------------------------------------------------------------------------------

void CancelSweep::run(CancelNode& top) noexcept {
  std::scoped_lock locked(top.lock_);
  run_locked(top);
}

// Down and up by the links, the locks of the path held: siblings stay what they are while we are below one of
// them. A child that has ended is passed over: so has all that is below it.
void CancelSweep::run_locked(CancelNode& top) noexcept {
  if (!end_locked(top)) return;
  CancelNode* above = &top;
  CancelNode* child = top.first_child_;
  for (;;) {
    while (child != nullptr) {
      child->lock_.lock();
      if (end_locked(*child)) {
        above = std::exchange(child, child->first_child_);
      } else {
        child->lock_.unlock();
        child = child->next_;
      }
    }
    if (above == &top) return;
    CancelNode& done = *above;
    child = done.next_;
    above = done.parent_;
    done.lock_.unlock();
  }
}

bool CancelSweep::end_locked(CancelNode& node) noexcept {
  if (node.ended_.load(relaxed) != WaitOutcome::kReady) return false;
  // seq_cst: before the look at the waiter's word; the waiter begins its wait, then looks here (R1).
  node.ended_.store(reason_, seq_cst);
  collect_locked(node);
  return true;
}

// The ticket first: what is read of the waiter afterwards is of that wait, or of a later one, and then the
// ticket is over (R2 to R4).
void CancelSweep::collect_locked(CancelNode& node) noexcept {
  WaitTicket ticket;
  Waiter* const waiter = node.waiter_;
  if (waiter != nullptr && waiter->word.current(ticket) && waiter->scope.load(relaxed) == &node &&
      waiter->ended_by_scope.load(relaxed) && waiter->word.try_win(ticket, reason_)) {
    node.next_woken_ = std::exchange(woken_, &node);
  }
  CancelListener* const listener = node.listener_;
  if (listener == nullptr) return;
  listener->reference();  // the node may be gone when it is told (R10)
  listener->next_told_ = std::exchange(told_, listener);
}

// A node lives until its waiter is woken: the next one is read before. The order is that of the sweep.
void CancelSweep::finish() noexcept {
  CancelNode* ordered = nullptr;
  while (CancelNode* const node = woken_) {
    woken_ = node->next_woken_;
    node->next_woken_ = std::exchange(ordered, node);
  }
  while (CancelNode* const node = ordered) {
    ordered = node->next_woken_;
    node->waiter_->wake();
  }
  while (CancelListener* const listener = told_) {
    told_ = listener->next_told_;
    listener->node_ended();
    listener->release();
  }
}

}  // namespace weft
