// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/execution.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace weft::model {
namespace hooks {

bool running = false;

}  // namespace hooks

namespace {

Execution* current_execution = nullptr;

/// Stacks that were left in the middle are kept as they are: what they own must not count as leaked.
std::vector<std::unique_ptr<Coroutine>>& abandoned() {
  static auto& stacks = *new std::vector<std::unique_ptr<Coroutine>>;
  return stacks;
}

}  // namespace

Execution::Execution() {
  adopt_root_flow(root_);
  for (Thread& thread : threads_) thread.coroutine = std::make_unique<Coroutine>();
}

Execution& Execution::current() noexcept { return *current_execution; }

void Execution::reset() {
  memory_.reset();
  for (Thread& thread : threads_) {
    std::unique_ptr<Coroutine> coroutine = std::move(thread.coroutine);
    thread = Thread{};
    thread.coroutine = std::move(coroutine);
  }
  started_ = 0;
  running_ = 0;
  alone_ = true;
  spurious_ = 0;
  steps_.clear();
  choices_.clear();
  failure_ = {};
}

bool Execution::run(Search& search, const ExecutionLimits& limits, const std::function<void()>& body) {
  reset();
  search_ = &search;
  limits_ = limits;
  current_execution = this;
  threads_[0].name = "body";
  threads_[0].alive = true;
  threads_[0].coroutine->start(body);
  resume(0);
  drive();
  current_execution = nullptr;
  const bool ended = threads_[0].coroutine->finished();
  abandon_unfinished();
  return !failure_ && ended;
}

void Execution::abandon_unfinished() {
  for (Thread& thread : threads_) {
    if (thread.coroutine->finished()) continue;
    abandoned().push_back(std::move(thread.coroutine));
    thread.coroutine = std::make_unique<Coroutine>();
  }
}

void Execution::resume(ThreadIndex thread) {
  running_ = thread;
  hooks::running = true;
  threads_[thread].coroutine->resume(root_);
  hooks::running = false;
  if (threads_[thread].coroutine->finished()) threads_[thread].alive = false;
}

// Until nobody can make a step.
void Execution::drive() {
  while (!failure_) {
    start_children();
    if (failure_) return;
    const Situation before = situate();
    if (before.enabled == 0) {
      if (before.alive != 0) fail_stuck(before);
      return;
    }
    if (steps_.size() >= static_cast<std::size_t>(limits_.steps_max)) {
      if (!search_->redundant()) failure_ = {FailureKind::kLivelock, "no end after so many steps"};
      return;
    }
    const ThreadIndex chosen = search_->choose_thread(before);
    if ((before.enabled & (before.enabled - 1)) != 0) choices_.push_back(chosen);
    resume(chosen);
    if (failure_) return;
    const Operation done = steps_.back().operation;
    search_->stepped(before, chosen, done, situate());
  }
}

// Each new thread runs up to its first operation, which can be announced then.
void Execution::start_children() {
  if (to_start_.empty()) return;
  const std::vector<ThreadBody> bodies = std::exchange(to_start_, {});
  for (const ThreadBody& body : bodies) {
    const auto index = static_cast<ThreadIndex>(++started_);
    Thread& thread = threads_[index];
    thread.name = body.name;
    thread.alive = true;
    memory_.name(&thread.tokens, sizeof(thread.tokens), body.name);
    const std::uint32_t own = thread.knowledge.current.clock[index];
    thread.knowledge = threads_[0].knowledge;  // what the body did before comes before
    thread.knowledge.current.clock[index] = own + 1;
    thread.coroutine->start(body.body);
    resume(index);
    if (failure_) return;
  }
  running_ = 0;  // whoever comes first takes the CPU from nobody
}

Situation Execution::situate() const noexcept {
  Situation situation;
  situation.previous = running_;
  for (ThreadIndex i = 0; i <= started_; ++i) {
    if (!threads_[i].alive) continue;
    situation.alive |= set_of(i);
    situation.pending[i] = &threads_[i].pending;
    if (enabled(i)) situation.enabled |= set_of(i);
  }
  return situation;
}

bool Execution::changed_since_watched(const Thread& thread) const noexcept {
  for (const Thread::Watched& watched : thread.watched) {
    if (memory_.newest(watched.location) > watched.index) return true;
  }
  return false;
}

bool Execution::enabled(ThreadIndex index) const noexcept {
  const Thread& thread = threads_[index];
  switch (thread.pending.action) {
    case Action::kSpin: return changed_since_watched(thread);
    case Action::kLock: return memory_.at(thread.pending.location).holder < 0;
    case Action::kFutexResume: return thread.woken || thread.has_deadline;
    case Action::kSuspend: return thread.tokens > 0;
    case Action::kJoin:
      for (std::size_t i = 1; i <= started_; ++i) {
        if (threads_[i].alive) return false;
      }
      return true;
    default: return true;
  }
}

void Execution::run_threads(const std::vector<ThreadBody>& threads) {
  if (running_ != 0) fail(FailureKind::kLimit, "only the body starts threads");
  if (threads.size() >= kThreadsMax) fail(FailureKind::kLimit, "too many threads");
  started_ = 0;
  to_start_ = threads;
  alone_ = false;
  ++knowledge().current.clock[0];
  Operation join;
  join.action = Action::kJoin;
  take_turn(join);
  alone_ = true;
  for (std::size_t i = 1; i <= started_; ++i) {
    ++threads_[i].knowledge.current.clock[i];
    knowledge().join(threads_[i].knowledge.current);
  }
}

Operation& Execution::take_turn(const Operation& operation) {
  Thread& thread = running_thread();
  thread.pending = operation;
  if (!alone_) {
    thread.coroutine->leave();
    steps_.push_back({running_, thread.pending});
    const LocationIndex location = thread.pending.location;
    if (location != kNoLocation && thread.pending.action != Action::kFutexWake)
      require_alive(location, thread.pending.where);
  } else {
    alone_step_.operation = operation;
  }
  ++thread.knowledge.current.clock[running_];
  return alone_ ? alone_step_.operation : steps_.back().operation;
}

unsigned Execution::choose(unsigned count) {
  if (count == 1) return 0;
  const unsigned chosen = search_->choose_value(count);
  choices_.push_back(chosen);
  return chosen;
}

bool Execution::choose_spurious() {
  if (alone_ || spurious_ >= limits_.spurious_max || choose(2) == 0) return false;
  ++spurious_;
  return true;
}

void Execution::fail(FailureKind kind, std::string what) {
  failure_ = {kind, std::move(what)};
  running_thread().coroutine->leave();
  std::abort();  // a failed execution's threads are never resumed
}

LocationIndex Execution::location(void* address, unsigned size, Where where) {
  const LocationIndex location = memory_.find_or_add(address, size);
  if (location == kNoLocation) fail(FailureKind::kLimit, "too many locations: see kLocationsMax");
  require_alive(location, where);
  return location;
}

void Execution::require_alive(LocationIndex location, Where where) {
  if (!memory_.at(location).ended) return;
  fail(FailureKind::kLifetime, memory_.name_of(location) + " is used after its end by " +
                                   running_thread().name + " in " + where.function);
}

// In the order of the last reads: what was read last is what the thread waits for.
void Execution::watch(LocationIndex location, std::uint16_t index) noexcept {
  std::vector<Thread::Watched>& watched = running_thread().watched;
  std::erase_if(watched, [&](const Thread::Watched& seen) { return seen.location == location; });
  watched.push_back({location, index});
}

// Spinning makes sense as long as what was read is what will be read again. A thread that goes on does so as
// somebody stored, and then sees it: a store becomes visible in the end.
void Execution::spin(Where where) {
  std::vector<Thread::Watched>& watched = running_thread().watched;
  if (watched.empty()) return;
  Operation spin;
  spin.action = Action::kSpin;
  spin.where = where;
  spin.location = watched.back().location;
  if (watched.size() > Footprint::kSizeMax)
    watched.erase(watched.begin(), watched.end() - Footprint::kSizeMax);
  for (const Thread::Watched& seen : watched) spin.footprint.add(seen.location, Facet::kValue, false);
  if (alone_) fail(FailureKind::kDeadlock, "the body spins, and nobody else runs");
  take_turn(spin);
  for (const Thread::Watched& seen : watched) {
    std::uint16_t& known = knowledge().current.seen[seen.location];
    known = std::max(known, memory_.newest(seen.location));
  }
  watched.clear();
}

void Execution::fail_stuck(const Situation& situation) {
  failure_.kind = FailureKind::kDeadlock;
  failure_.what = "nobody can go on:";
  for (ThreadIndex i = 0; i < kThreadsMax; ++i) {
    if (!contains(situation.alive, i)) continue;
    failure_.what += " " + threads_[i].name + " waits in " + threads_[i].pending.where.function + ";";
  }
}

}  // namespace weft::model
