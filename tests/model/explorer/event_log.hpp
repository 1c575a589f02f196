// SPDX-License-Identifier: Apache-2.0
#pragma once

// The steps of one execution, and which of them came before which: vector clocks over footprints. A load that
// runs over all stores it may read commutes with a store that it does not read: then the step that it reads
// from comes before it, and nothing else.

#include "model/explorer/search.hpp"

#include <array>
#include <vector>

namespace weft::model {

class EventLog {
 public:
  static constexpr int kNoNode = -1;

  void clear() noexcept;
  /// `node` is where the thread was chosen; kNoNode if there was no choice.
  void add(ThreadIndex thread, const Operation& done, int node);

  std::size_t last() const noexcept { return events_.size() - 1; }
  int node_of(std::size_t index) const noexcept { return events_[index].node; }

  /// Whether `later`, which conflicts with `earlier`, might come first, with another result.
  static bool may_race(const Operation& earlier, const Operation& later) noexcept;

  /// Calls `visit(index)` for the steps that `pending`, the next operation of `thread`, races with. Those
  /// which come before another one of them are left out: they race again once that one has been exchanged.
  template <class Visit>
  void for_each_race(ThreadIndex thread, const Operation& pending, Visit&& visit) const {
    Clock later{};  // what comes before the races found
    for (std::size_t i = events_.size(); i-- > 0;) {
      if (!races(events_[i], thread, pending) || happened_before(events_[i], later)) continue;
      visit(i);
      later.join(events_[i].clock);
    }
  }

  /// The threads whose first step, among those after `index` that do not depend on it and the next one of
  /// `thread`, has no other one of them before it.
  ThreadSet initials_after(std::size_t index, ThreadIndex thread) const noexcept;

 private:
  struct Event {
    ThreadIndex thread;
    Operation operation;
    Clock clock;
    int node;
  };
  struct Object {
    Clock writes;  // of the last write, and what came before it
    Clock reads;   // of the reads since
  };

  static bool happened_before(const Event& event, const Clock& clock) noexcept {
    return event.clock[event.thread] <= clock[event.thread];
  }
  bool races(const Event& event, ThreadIndex thread, const Operation& pending) const noexcept;

  std::vector<Event> events_;
  std::array<Clock, kThreadsMax> threads_{};
  std::array<Object, kObjects> objects_{};
};

}  // namespace weft::model
