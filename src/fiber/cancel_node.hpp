// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tree of cancel scopes (docs/design/cancel.md): what a scope, a group and a group's child have in
// common.
//
// Thread safety: end(), status() and ended() by any thread that knows the node lives; enter() and leave() by
// the waiter that the node is of. `ended` and the links below are guarded by the lock of the node, the links
// to siblings by that of the parent. Locks are taken parent before child and nothing else is locked inside.
// A sweep holds the lock of one node, and that of one child of it, for a portion of children; then it lets
// go, wakes whom it has won, and goes on where it was: at the node's cursor. Meanwhile the nodes of its path
// are `sweeping`. Guarantees: a node that has ended stays so, for one reason, and so does all that is below
// it; who waits cancellably in it is woken once. Lifetime: a node is entered and left by structure: its
// parent outlives it (BUG otherwise). Who is inside end() when the node's waiter leaves it, is waited for: a
// few instructions, or a portion, as it has no child any more.

#include "base/atomic.hpp"
#include "base/detail_names.hpp"
#include "base/spin_lock.hpp"
#include "fiber/wait_word.hpp"

#include <cstdint>

namespace weft {

/// Something outside of the tree that wants to know of a node's end. Shared; told at most once.
class CancelListener {
 public:
  CancelListener() noexcept = default;
  CancelListener(const CancelListener&) = delete;
  CancelListener& operator=(const CancelListener&) = delete;

  void reference() noexcept { references_.fetch_add(1, relaxed); }
  /// The last one deletes it.
  void release() noexcept {
    // Release: what this owner did; acquire: what the others did.
    if (references_.fetch_sub(1, acq_rel) == 1) delete this;
  }

  /// Called without locks, by whoever ended the node, perhaps after the node is gone. Must not suspend.
  virtual void node_ended() noexcept = 0;

 protected:
  virtual ~CancelListener() = default;

 private:
  friend class CancelSweep;
  Atomic<std::uint32_t> references_{1};
  CancelListener* next_told_ = nullptr;
};

class CancelNode {
 public:
  static constexpr std::int64_t kNoDeadline = INT64_MAX;

  CancelNode() noexcept = default;
  CancelNode(const CancelNode&) = delete;
  CancelNode& operator=(const CancelNode&) = delete;

  // -- structure --------------------------------------------------------------------------------------------
  /// Becomes a child of `parent` (null: of nothing), ended as it is, with its deadline if that is earlier.
  /// `waiter` may have this as its innermost scope; null for a group.
  void link(CancelNode* parent, Waiter* waiter, std::int64_t deadline_ns) noexcept;
  /// The same, with the parent's lock held by the caller.
  void link_locked(CancelNode& parent, Waiter* waiter, std::int64_t deadline_ns) noexcept;
  /// Leaves the parent. Afterwards nobody is in end() for this node. BUG while it has children.
  void unlink() noexcept;
  /// The same, with the parent's lock held by the caller. REQUIRES: end() is only called for nodes above;
  /// wait_until_swept() was called after the last child had left.
  void unlink_locked() noexcept;
  /// Returns when no sweep is at this node's children.
  void wait_until_swept() const noexcept {
    if (sweeping_.load(acquire)) [[unlikely]]
      wait_for_sweep();
  }

  /// Makes this the innermost scope of the calling waiter, within the one that it has; of a shield within
  /// none. And the reverse: BUG unless it is the innermost scope of the caller.
  enum class Shield : bool { kNo, kYes };
  void enter(std::int64_t deadline_ns, Shield shield) noexcept;
  void leave() noexcept;
  /// enter() and leave() in two halves. Linked once within the scope that the waiter has; then stepped into
  /// and out of as often as it likes, in that same scope; unlink() in the end.
  void link_within(Waiter& self, std::int64_t deadline_ns) noexcept;
  void step_in(Waiter& self) noexcept;
  void step_out(Waiter& self) noexcept;
  /// After a step out: if somebody was stopped in here for what is above, that is noted there.
  void pass_on_stopped(Waiter& self) noexcept;

  /// The waiter is about to wait in this scope, makes another one in it, or asks whether it has ended: what
  /// brings its end may have to be looked at from now on. Without locks. Suspends: no.
  void before_wait() noexcept {
    if (lazy_) [[unlikely]]
      before_wait_slow();
  }

  // -- ending -----------------------------------------------------------------------------------------------
  /// Ends this node and all below, wakes who waits there. `reason`: kCancelled or kTimedOut.
  void end(WaitOutcome reason) noexcept;
  /// The deadline of this node has passed: ends the topmost node that has it.
  void expire() noexcept;

  /// kReady while it is open; else what cancellable waits in it end with.
  WaitOutcome ended() const noexcept { return ended_.load(seq_cst); }
  /// The same, and looks at the clock if there is a deadline.
  WaitOutcome status() noexcept;

  /// The waiter was told that this node has ended: a wait in it failed for that. Waiter only.
  void note_stopped(WaitOutcome told) noexcept { stopped_ = told; }
  /// kReady: it was told nothing. Waiter only.
  WaitOutcome stopped() const noexcept { return stopped_; }

  /// `listener` (a reference is taken) is told when the node ends; at once if it has.
  void set_listener(CancelListener& listener) noexcept;

  std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
  /// Null: it is within nothing. Outlives this node.
  const CancelNode* parent() const noexcept { return parent_; }
  /// The waiter's scope before enter() or step_in().
  CancelNode* outer() const noexcept { return outer_; }
  /// The fiber's own cancel bit does not count here.
  bool shielded() const noexcept { return shielded_; }

  /// Guards the links and `ended`; a group keeps its children's affairs under it, too.
  SpinLock& lock() noexcept { return lock_; }

 protected:
  enum class Lazy { kLazy };
  explicit CancelNode(Lazy) noexcept : lazy_(true) {}

 private:
  friend class CancelSweep;

  [[gnu::cold]] void wait_for_sweep() const noexcept;
  [[gnu::cold, gnu::noinline]] void before_wait_slow() noexcept;

  SpinLock lock_;
  bool shielded_ = false;                           // fixed by link()
  const bool lazy_ = false;                         // it is a LazyCancelNode
  Atomic<WaitOutcome> ended_{WaitOutcome::kReady};  // written under lock_, once
  WaitOutcome stopped_ = WaitOutcome::kReady;       // the waiter's own
  // A sweep is at the children, or below them: it comes back. Set under lock_, cleared as its last touch.
  Atomic<bool> sweeping_{false};
  std::int64_t deadline_ns_ = kNoDeadline;  // fixed by link(): the least of those above, and its own
  Waiter* waiter_ = nullptr;                // fixed by link()
  CancelNode* parent_ = nullptr;            // fixed by link()
  CancelNode* outer_ = nullptr;             // the waiter's scope before enter()
  CancelNode* first_child_ = nullptr;       // guarded by lock_
  CancelNode* cursor_ = nullptr;            // the child that the sweep visits next: guarded by lock_
  CancelNode* next_ = nullptr;              // among the parent's children: guarded by its lock
  CancelNode* previous_ = nullptr;          // of the first child: null
  CancelNode* next_woken_ = nullptr;        // of who won the waiter's wait, until it is woken
  CancelListener* listener_ = nullptr;      // guarded by lock_; a reference
};

/// A node whose end is brought by something that costs something to be looked at: told when somebody begins
/// to depend on it.
class LazyCancelNode : public CancelNode {
 public:
  /// See CancelNode::before_wait(). By the waiter. Suspends: no.
  virtual void look_for_end() noexcept = 0;

 protected:
  LazyCancelNode() noexcept : CancelNode(Lazy::kLazy) {}
  ~LazyCancelNode() = default;
};

/// One run of end() down a tree: who is woken and told is so without any lock.
class CancelSweep {
 public:
  explicit CancelSweep(WaitOutcome reason) noexcept : reason_(reason) {}

  /// Ends `top` and all below, unless it has ended. REQUIRES: `top` lives until this returns.
  void run(CancelNode& top) noexcept;
  /// The same. The caller holds the lock of `top`, and no other; it is given back.
  void run_and_unlock(CancelNode& top) noexcept;

 private:
  bool end_locked(CancelNode& node) noexcept;
  void collect_locked(CancelNode& node) noexcept;
  bool begin_locked(CancelNode& node) noexcept;
  CancelNode* visit_children_locked(CancelNode& node) noexcept;
  void wake() noexcept;
  void wake_and_tell() noexcept;

  const WaitOutcome reason_;
  std::uint32_t visited_ = 0;  // since wake()
  CancelNode* woken_ = nullptr;
  CancelListener* told_ = nullptr;
};

}  // namespace weft
