// SPDX-License-Identifier: Apache-2.0
#include "fiber/cancel_node.hpp"

#include "base/clock.hpp"
#include "base/panic.hpp"
#include "base/portion.hpp"
#include "base/spin_backoff.hpp"
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
  // Under the parent's lock: who ends the parent has done so already, or will find this child (CR6).
  ended_.store(parent.ended_.load(relaxed), relaxed);
  next_ = parent.first_child_;
  if (next_ != nullptr) next_->previous_ = this;
  parent.first_child_ = this;
}

void CancelNode::unlink_locked() noexcept {
  if (parent_->cursor_ == this) parent_->cursor_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : parent_->first_child_) = next_;
}

void CancelNode::link(CancelNode* parent, Waiter* waiter, std::int64_t deadline_ns) noexcept {
  if (parent != nullptr) {
    parent->before_wait();
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
  wait_until_swept();
  CancelListener* listener = nullptr;
  {
    std::scoped_lock locked(lock_);  // whoever was in end() for this node has left it (CR5)
    WEFT_ASSERT(first_child_ == nullptr, "a cancel scope ends before a scope or a group that was made in it");
    listener = std::exchange(listener_, nullptr);
  }
  if (listener != nullptr) listener->release();
}

void CancelNode::wait_for_sweep() const noexcept {
  for (SpinBackoff backoff; sweeping_.load(acquire);) backoff.pause();
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
  step_out(self);
  pass_on_stopped(self);
  unlink();
}

void CancelNode::link_within(Waiter& self, std::int64_t deadline_ns) noexcept {
  outer_ = self.scope.load(relaxed);
  link(outer_, &self, deadline_ns);
}

void CancelNode::step_in(Waiter& self) noexcept { self.scope.store(this, relaxed); }  // as in enter()

void CancelNode::step_out(Waiter& self) noexcept {
  WEFT_DEBUG_ASSERT(self.scope.load(relaxed) == this, "a scope is left while one in it is not");
  self.scope.store(outer_, relaxed);
}

void CancelNode::pass_on_stopped(Waiter& self) noexcept {
  if (stopped_ != WaitOutcome::kReady && outer_ != nullptr && outer_ == parent_ &&
      (outer_->ended() == stopped_ ||
       (stopped_ == WaitOutcome::kCancelled && self.word.cancel_requested() && !shielded_)))
    outer_->note_stopped(stopped_);
}

void CancelNode::before_wait_slow() noexcept { static_cast<LazyCancelNode*>(this)->look_for_end(); }

// -- ending -------------------------------------------------------------------------------------------------

void CancelNode::end(WaitOutcome reason) noexcept {
  CancelSweep sweep(reason);
  sweep.run(*this);
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
  return ended();  // the reason of whoever was first (CR7)
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
  top.lock_.lock();
  run_and_unlock(top);
}

// Down and up by the links. Whatever leaves or comes between two sections: the cursor of a node steps over a
// child that leaves, and a child that comes is born ended (CR6). A child that has ended is passed over: all
// that is below it has ended too, or somebody is about to do it.
void CancelSweep::run_and_unlock(CancelNode& top) noexcept {
  if (!begin_locked(top)) {
    top.lock_.unlock();
    return wake_and_tell();
  }
  for (CancelNode* at = &top; at != nullptr;) {
    CancelNode* const below = visit_children_locked(*at);
    const bool done = below == nullptr && at->cursor_ == nullptr;
    at->lock_.unlock();
    if (below != nullptr) {
      at = below;
      continue;
    }
    if (done) {
      CancelNode* const above = at == &top ? nullptr : at->parent_;
      at->sweeping_.store(false, release);  // the last touch: pairs with wait_until_swept() (CR12)
      at = above;
    }
    if (visited_ >= kPortion) wake();
    if (at != nullptr) at->lock_.lock();
  }
  wake_and_tell();
}

/// Ends the node. True if its children are to be visited: then it stays until that is done.
bool CancelSweep::begin_locked(CancelNode& node) noexcept {
  if (!end_locked(node) || node.first_child_ == nullptr) return false;
  node.cursor_ = node.first_child_;
  node.sweeping_.store(true, relaxed);  // by the lock: whoever leaves takes it, or that of the parent, later
  return true;
}

/// A portion of them; up to one that has children, which it returns, locked.
CancelNode* CancelSweep::visit_children_locked(CancelNode& node) noexcept {
  while (node.cursor_ != nullptr && visited_ < kPortion) {
    ++visited_;
    CancelNode& child = *node.cursor_;
    node.cursor_ = child.next_;
    child.lock_.lock();
    if (begin_locked(child)) return &child;
    child.lock_.unlock();
  }
  return nullptr;
}

bool CancelSweep::end_locked(CancelNode& node) noexcept {
  if (node.ended_.load(relaxed) != WaitOutcome::kReady) return false;
  // seq_cst: before the look at the waiter's word; the waiter begins its wait, then looks here (CR1).
  node.ended_.store(reason_, seq_cst);
  collect_locked(node);
  return true;
}

// The ticket first: what is read of the waiter afterwards is of that wait, or of a later one, and then the
// ticket is over (CR2 to CR4).
void CancelSweep::collect_locked(CancelNode& node) noexcept {
  WaitTicket ticket;
  Waiter* const waiter = node.waiter_;
  if (waiter != nullptr && waiter->word.current(ticket) && waiter->scope.load(relaxed) == &node &&
      waiter->ended_by_scope.load(relaxed) && waiter->word.try_win(ticket, reason_)) {
    node.next_woken_ = std::exchange(woken_, &node);
  }
  CancelListener* const listener = node.listener_;
  if (listener == nullptr) return;
  listener->reference();  // the node may be gone when it is told (CR10)
  listener->next_told_ = std::exchange(told_, listener);
}

// A node lives until its waiter is woken: the next one is read before. The order is that of the sweep.
void CancelSweep::wake() noexcept {
  visited_ = 0;
  CancelNode* ordered = nullptr;
  while (CancelNode* const node = woken_) {
    woken_ = node->next_woken_;
    node->next_woken_ = std::exchange(ordered, node);
  }
  while (CancelNode* const node = ordered) {
    ordered = node->next_woken_;
    node->waiter_->wake();
  }
}

// When the sweep is over: a listener is the user's code, and takes as long as it likes.
void CancelSweep::wake_and_tell() noexcept {
  wake();
  while (CancelListener* const listener = told_) {
    told_ = listener->next_told_;
    listener->node_ended();
    listener->release();
  }
}

}  // namespace weft
