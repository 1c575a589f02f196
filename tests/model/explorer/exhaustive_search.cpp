// SPDX-License-Identifier: Apache-2.0
// Every execution that differs from the others, and as few of the rest as possible.
//
// Dynamic partial-order reduction with sleep sets: an execution is run, the pairs of steps in it that
// conflict and might come in the other order (races) are found by vector clocks, and for each a branch is
// left at the earlier step. After C. Flanagan and P. Godefroid, "Dynamic partial-order reduction for model
// checking software" (POPL 2005), with the branches chosen as in P. Abdulla et al., "Optimal dynamic partial
// order reduction" (POPL 2014: source sets).
#include "model/explorer/event_log.hpp"
#include "model/explorer/search.hpp"

#include <bit>

namespace weft::model {
namespace {

/// A choice that was made, and what is left of it.
struct Node {
  bool of_thread;
  // of a thread
  ThreadSet enabled = 0;
  ThreadSet backtrack = 0;  // to be tried
  ThreadSet done = 0;       // tried
  ThreadSet sleeping = 0;   // need not be tried: what they lead to was seen from an earlier node
  // of a value
  unsigned count = 0;
  unsigned chosen = 0;
};

class ExhaustiveSearch final : public Search {
 public:
  bool begin() override {
    if (began_ && !backtrack()) return false;
    began_ = true;
    position_ = 0;
    log_.clear();
    sleeping_ = 0;
    redundant_ = false;
    return true;
  }

  bool redundant() const override { return redundant_; }

  ThreadIndex choose_thread(const Situation& situation) override {
    if (redundant_ || (situation.enabled & ~sleeping_) == 0) {
      redundant_ = true;
      return next_in_turn(situation);
    }
    node_ = EventLog::kNoNode;
    if (std::popcount(situation.enabled) == 1) return lowest(situation.enabled);
    node_ = static_cast<int>(position_);
    if (position_ == nodes_.size()) nodes_.push_back(new_node(situation));
    Node& node = nodes_[position_++];
    sleeping_ = node.sleeping | (node.done & ~set_of(node.chosen));
    return static_cast<ThreadIndex>(node.chosen);
  }

  unsigned choose_value(unsigned count) override {
    if (redundant_) return 0;
    if (position_ == nodes_.size()) {
      Node node{};
      node.count = count;
      nodes_.push_back(node);
    }
    return nodes_[position_++].chosen;
  }

  void stepped(const Situation& before, ThreadIndex thread, const Operation& done,
               const Situation& after) override {
    if (redundant_) return;
    log_.add(thread, done, node_);
    for (ThreadIndex other = 0; other < kThreadsMax; ++other) {
      if (other == thread || !contains(before.alive, other)) continue;
      const Operation& pending = *before.pending[other];
      if (pending.footprint.conflicts_with(done.footprint)) {
        sleeping_ &= ~set_of(other);
        if (EventLog::may_race(done, pending)) leave_branch(log_.last(), other);
      }
    }
    sleeping_ &= ~set_of(thread);
    if (!contains(after.alive, thread)) return;
    log_.for_each_race(thread, *after.pending[thread],
                       [&](std::size_t index) { leave_branch(index, thread); });
  }

 private:
  static ThreadIndex lowest(ThreadSet set) noexcept {
    return static_cast<ThreadIndex>(std::countr_zero(set));
  }
  /// Fair, so that a redundant execution comes to its end.
  static ThreadIndex next_in_turn(const Situation& situation) noexcept {
    for (std::size_t i = 1; i <= kThreadsMax; ++i) {
      const std::size_t thread = (situation.previous + i) % kThreadsMax;
      if (contains(situation.enabled, thread)) return static_cast<ThreadIndex>(thread);
    }
    return situation.previous;
  }

  Node new_node(const Situation& situation) const noexcept {
    Node node{};
    node.of_thread = true;
    node.enabled = situation.enabled;
    node.sleeping = sleeping_;
    const ThreadSet candidates = situation.enabled & ~sleeping_;
    node.chosen = contains(candidates, situation.previous) ? situation.previous : lowest(candidates);
    node.backtrack = set_of(node.chosen);
    return node;
  }

  /// Makes the last node that has something left take its next choice. False when none has.
  bool backtrack() noexcept {
    for (; !nodes_.empty(); nodes_.pop_back()) {
      Node& node = nodes_.back();
      if (!node.of_thread) {
        if (++node.chosen < node.count) return true;
        continue;
      }
      node.done |= set_of(node.chosen);
      const ThreadSet left = node.backtrack & ~node.done & ~node.sleeping;
      if (left == 0) continue;
      node.chosen = lowest(left);
      return true;
    }
    return false;
  }

  /// The step `index` races with what `thread` does next. To see the other order, somebody who can begin what
  /// leads to it, without that step, must be tried in its place.
  void leave_branch(std::size_t index, ThreadIndex thread) {
    if (log_.node_of(index) == EventLog::kNoNode) return;
    Node& node = nodes_[static_cast<std::size_t>(log_.node_of(index))];
    const ThreadSet initials = log_.initials_after(index, thread);
    if ((node.backtrack & initials) != 0) return;
    const ThreadSet possible = initials & node.enabled;
    if (possible == 0) {
      if ((initials & ~set_of(thread)) != 0) node.backtrack |= node.enabled;
      return;
    }
    const ThreadSet awake = possible & ~node.sleeping & ~node.done;
    if (contains(possible, thread)) {
      node.backtrack |= set_of(thread);
    } else {
      node.backtrack |= set_of(lowest(awake != 0 ? awake : possible));
    }
  }

  std::vector<Node> nodes_;
  bool began_ = false;

  // Of the execution that is running.
  std::size_t position_ = 0;
  int node_ = EventLog::kNoNode;
  EventLog log_;
  ThreadSet sleeping_ = 0;
  bool redundant_ = false;
};

}  // namespace

std::unique_ptr<Search> make_exhaustive_search() { return std::make_unique<ExhaustiveSearch>(); }

}  // namespace weft::model
