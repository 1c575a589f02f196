// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/event_log.hpp"

namespace weft::model {

void EventLog::clear() noexcept {
  events_.clear();
  threads_.fill({});
  objects_.fill({});
}

void EventLog::add(ThreadIndex thread, const Operation& done, int node) {
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
  events_.push_back({thread, done, clock, node});
}

bool EventLog::may_race(const Operation& earlier, const Operation& later) noexcept {
  // The load has read what was there before the store, too.
  if (later.action == Action::kLoad && later.reads_any_candidate) return false;
  if (earlier.action == Action::kUnlock && later.action == Action::kLock) return false;
  return !later.conditional;
}

bool EventLog::races(const Event& event, ThreadIndex thread, const Operation& pending) const noexcept {
  if (event.thread == thread || happened_before(event, threads_[thread])) return false;
  return pending.footprint.conflicts_with(event.operation.footprint) && may_race(event.operation, pending);
}

ThreadSet EventLog::initials_after(std::size_t index, ThreadIndex thread) const noexcept {
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

}  // namespace weft::model
