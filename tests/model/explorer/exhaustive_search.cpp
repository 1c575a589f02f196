// SPDX-License-Identifier: Apache-2.0
// Every execution that differs from the others, and as few of the rest as possible.
//
// Dynamic partial-order reduction with sleep sets: an execution is run, the pairs of steps in it that
// conflict and might come in the other order (races) are found by vector clocks, and for each a branch is
// left at the earlier step. After C. Flanagan and P. Godefroid, "Dynamic partial-order reduction for model
// checking software" (POPL 2005), with the branches chosen as in P. Abdulla et al., "Optimal dynamic partial
// order reduction" (POPL 2014: source sets).
//
// A load that runs over all stores it may read commutes with a store that it does not read: then the step
// that it reads from comes before it, and nothing else; and a store that comes earlier in the execution need
// not be exchanged with it, as the load has read what was there before, too.
#include "model/explorer/search.hpp"

#include <algorithm>
#include <array>
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

struct Event {
  ThreadIndex thread;
  Operation operation;
  Clock clock;
  int node;  // where the thread was chosen; -1 if there was no choice
};

class ExhaustiveSearch final : public Search {
 public:
  bool begin() override {
    if (began_ && !backtrack()) return false;
    began_ = true;
    position_ = 0;
    events_.clear();
    threads_.fill({});
    steps_.fill(0);
    objects_.fill({});
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
    node_ = -1;
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
    add_event(thread, done);
    for (ThreadIndex other = 0; other < kThreadsMax; ++other) {
      if (other == thread || !contains(before.alive, other)) continue;
      const Operation& pending = *before.pending[other];
      if (pending.footprint.conflicts_with(done.footprint)) {
        sleeping_ &= ~set_of(other);
        if (may_race(done, pending)) leave_branch(events_.size() - 1, other);
      }
    }
    sleeping_ &= ~set_of(thread);
    if (contains(after.alive, thread)) find_races(thread, *after.pending[thread]);
  }

 private:
  struct Object {
    Clock writes;  // of the last write, and what came before it
    Clock reads;   // of the reads since
  };

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

  void add_event(ThreadIndex thread, const Operation& done) {
    Clock& clock = threads_[thread];
    ++clock[thread];
    for (const Access& access : done.footprint) {
      const Object& object = objects_[access.object];
      if (access.writes) {
        clock.join(object.reads);
        clock.join(object.writes);
      } else if (!done.reads_any_candidate) {
        clock.join(object.writes);
      } else if (done.source != kNoEvent) {
        clock.join(events_[static_cast<std::size_t>(done.source)].clock);
      }
    }
    for (const Access& access : done.footprint) {
      Object& object = objects_[access.object];
      if (access.writes) {
        object.writes = clock;
        object.reads = {};
      } else {
        object.reads.join(clock);
      }
    }
    events_.push_back({thread, done, clock, node_});
  }

  /// Whether `later`, which conflicts with `earlier`, might come first, with another result.
  static bool may_race(const Operation& earlier, const Operation& later) noexcept {
    if (later.action == Action::kLoad && later.reads_any_candidate) return false;
    if (earlier.action == Action::kUnlock && later.action == Action::kLock) return false;
    return !later.conditional;
  }

  bool happened_before(const Event& event, const Clock& clock) const noexcept {
    return event.clock[event.thread] <= clock[event.thread];
  }

  /// `pending` has just become the next operation of `thread`: the steps that it races with. Those which come
  /// before another one of them are left out: they race again once that one has been exchanged.
  void find_races(ThreadIndex thread, const Operation& pending) {
    Clock later{};  // what comes before the races found
    for (std::size_t i = events_.size(); i-- > 0;) {
      const Event& event = events_[i];
      if (event.thread == thread || happened_before(event, threads_[thread])) continue;
      if (!pending.footprint.conflicts_with(event.operation.footprint)) continue;
      if (happened_before(event, later)) continue;
      if (!may_race(event.operation, pending)) continue;
      leave_branch(i, thread);
      later.join(event.clock);
    }
  }

  /// The step `index` races with what `thread` does next. To see the other order, somebody who can begin what
  /// leads to it, without that step, must be tried in its place.
  void leave_branch(std::size_t index, ThreadIndex thread) {
    if (events_[index].node < 0) return;
    Node& node = nodes_[static_cast<std::size_t>(events_[index].node)];
    const ThreadSet initials = initials_after(index, thread);
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

  /// The threads whose first step, among those after `index` that do not depend on it and the next one of
  /// `thread`, has no other one of them before it.
  ThreadSet initials_after(std::size_t index, ThreadIndex thread) const noexcept {
    ThreadSet seen = 0;
    ThreadSet initials = 0;
    std::array<Clock, kThreadsMax> first{};  // of each thread in `seen`: the clock of its first step
    const auto follows_another = [&](const Clock& clock, ThreadIndex own) {
      for (ThreadIndex i = 0; i < kThreadsMax; ++i) {
        if (i != own && contains(seen, i) && first[i][i] <= clock[i]) return true;
      }
      return false;
    };
    const Event& origin = events_[index];
    for (std::size_t i = index + 1; i < events_.size(); ++i) {
      const Event& event = events_[i];
      if (happened_before(origin, event.clock) || contains(seen, event.thread)) continue;
      if (!follows_another(event.clock, event.thread)) initials |= set_of(event.thread);
      seen |= set_of(event.thread);
      first[event.thread] = event.clock;
    }
    if (!contains(seen, thread) && !follows_another(threads_[thread], thread)) initials |= set_of(thread);
    return initials;
  }

  std::vector<Node> nodes_;
  bool began_ = false;

  // Of the execution that is running.
  std::size_t position_ = 0;
  int node_ = -1;
  std::vector<Event> events_;
  std::array<Clock, kThreadsMax> threads_{};
  std::array<int, kThreadsMax> steps_{};
  std::array<Object, kObjects> objects_{};
  ThreadSet sleeping_ = 0;
  bool redundant_ = false;
};

}  // namespace

std::unique_ptr<Search> make_exhaustive_search() { return std::make_unique<ExhaustiveSearch>(); }

}  // namespace weft::model
