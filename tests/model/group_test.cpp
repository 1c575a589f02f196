// SPDX-License-Identifier: Apache-2.0
// The end of a task group (docs/design/group.md), with the shipping group_core.cpp: the last child against
// who waits for it, failures, cancels. The group stands in its owner's frame: who touches it too late uses it
// after its end.
#include "fiber/cancel_node.hpp"
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"

#include <weft/detail/group_core.hpp>

#include <array>
#include <memory>
#include <mutex>
#include <vector>

namespace weft {

class Context;

namespace detail {

// As the context's, which is not in the model: the fiber is enqueued.
void start_fiber(Context&, Fiber& fiber) noexcept { fiber.home->enqueue(fiber); }

}  // namespace detail

namespace {

using Cancellable = WaitWord::Cancellable;
using detail::GroupCore;
using detail::GroupTask;
using model::FailureKind;
using model::ModelFibers;

using GroupChild = Result<void> (*)(GroupTask&);

/// What a child keeps in its fiber's storage, and what it leaves behind.
struct ChildTask : GroupTask {
  model::Plain<int> result{0};
};

ChildTask& child_of(GroupTask& task) { return static_cast<ChildTask&>(task); }

Result<void> child_succeeds(GroupTask& task) {
  child_of(task).result = 1;
  return {};
}
Result<void> child_fails(GroupTask&) { return Errc::closed; }
/// Until it is cancelled.
Result<void> child_waits(GroupTask&) {
  Waiter& self = Waiter::current();
  self.begin(Cancellable::kYes);
  model::check(self.wait() == WaitOutcome::kCancelled, "nothing else ends it");
  return Errc::cancelled;
}

/// The same, in a scope of its own.
Result<void> child_waits_in_a_scope(GroupTask&) {
  CancelNode own;
  own.enter(CancelNode::kNoDeadline, CancelNode::Shield::kNo);
  Waiter& self = Waiter::current();
  self.begin(Cancellable::kYes);
  model::check(self.wait() == WaitOutcome::kCancelled, "nothing else ends it");
  own.leave();
  return Errc::cancelled;
}

/// Enters scopes, and leaves them without having waited.
Result<void> child_comes_and_goes(GroupTask&) {
  CancelNode outer, inner;
  outer.enter(CancelNode::kNoDeadline, CancelNode::Shield::kNo);
  inner.enter(CancelNode::kNoDeadline, CancelNode::Shield::kNo);
  inner.leave();
  outer.leave();
  return {};
}

/// A group of the fiber 0, and its children, which are the fibers from 1 on.
class Family {
 public:
  Family(ModelFibers& fibers, std::vector<GroupChild> children)
      : fibers_(fibers), children_(std::move(children)) {}

  /// `owner(group)` has it after all children were started.
  template <class Owner>
  void run(bool keeps_results, Owner owner, std::vector<model::ThreadBody> others = {}) {
    std::vector<model::ThreadBody> threads{{"owner", fibers_.fiber(0, [this, keeps_results, owner] {
                                              GroupCore group(keeps_results);
                                              start(group);
                                              owner(group);
                                            })}};
    for (std::size_t i = 0; i < children_.size(); ++i) {
      fibers_[i + 1].reference();  // what the group gives back
      threads.push_back({i == 0 ? "first child" : "second child", fibers_.fiber(i + 1, [this, i] {
                           model::suspend();  // until it is started
                           GroupCore::run(tasks[i], children_[i]);
                         })});
    }
    for (model::ThreadBody& other : others) threads.push_back(std::move(other));
    model::run(threads);
  }

  std::array<ChildTask, 2> tasks;

 private:
  void start(GroupCore& group) {
    // Nothing of it is used: see start_fiber() above.
    Context& context = *reinterpret_cast<Context*>(this);
    for (std::size_t i = 0; i < children_.size(); ++i) group.start(context, fibers_[i + 1], tasks[i]);
  }

  ModelFibers& fibers_;
  const std::vector<GroupChild> children_;
};

// G1, the last child against the end of the group.
TEST(ModelGroup, TheGroupMayEndAsSoonAsItsLastChildHasCountedItselfOut) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_succeeds, child_succeeds});
    family.run(false, [&](GroupCore& group) {
      model::check(group.wait().has_value(), "no failure");
      model::check(family.tasks[0].result + family.tasks[1].result == 2, "what they did is seen");
    });
  });
}

TEST(ModelGroup, AFailureEndsTheSiblingsWaitAndIsReported) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_waits, child_fails});
    family.run(false, [&](GroupCore& group) {
      const Result<void> waited = group.wait();
      model::check(!waited && waited.error() == Errc::closed, "the first failure");
    });
  });
}

// G2.
TEST(ModelGroup, OfTwoFailuresTheFirstIsKept) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_fails, child_fails});
    family.run(false, [&](GroupCore& group) {
      const Result<void> waited = group.wait();
      model::check(!waited && waited.error() == Errc::closed, "one of the two");
    });
  });
}

// G6, a wait that is cancelled against the last child.
TEST(ModelGroup, ACancelledWaitEndsTheChildrenAndWaitsForThem) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_succeeds});
    bool failed = false;
    family.run(false,
               [&](GroupCore& group) {
                 const Result<void> waited = group.wait();
                 failed = !waited;
                 model::check(waited || waited.error() == Errc::cancelled, "done, or cancelled");
                 model::check(family.tasks[0].result == 1, "the child is through in any case");
               },
               {{"canceller", [&] { fibers[0].cancel(); }}});
    model::check(!failed || fibers[0].word.cancel_requested(), "not without a cancel");
  });
}

TEST(ModelGroup, ACancelledWaitEndsAChildThatWaits) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_waits});
    family.run(false,
               [&](GroupCore& group) {
                 const Result<void> waited = group.wait();
                 model::check(!waited && waited.error() == Errc::cancelled, "cancelled");
               },
               {{"canceller", [&] { fibers[0].cancel(); }}});
  });
}

TEST(ModelGroup, AGroupThatIsLeftEndsItsChildrenAndWaitsForThem) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_waits, child_succeeds});
    family.run(false, [&](GroupCore& group) { group.close(); });
    model::check(family.tasks[1].result == 1, "also one that had not begun runs");
  });
}

// CR12 of cancel.md: between two portions of the sweep its nodes may be left, but they stay.
TEST(ModelGroup, AScopeMayBeLeftWhileASweepIsBelowItOrOnItsWayUp) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {model::choose(2) == 0 ? child_waits_in_a_scope : child_comes_and_goes});
    family.run(false, [&](GroupCore& group) { group.close(); });
  });
}

TEST(ModelGroup, ASweepGoesOnWhereItWasWhenChildrenHaveLeft) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(5'000), [&] {
    Family family(fibers, {child_waits_in_a_scope, model::choose(2) == 0 ? child_succeeds : child_waits});
    family.run(false, [&](GroupCore& group) { group.close(); });
  });
}

// The first that fails comes before those whom its failure cancels, whoever is through first.
TEST(ModelGroup, NextGivesAFailureBeforeItsEchoes) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Family family(fibers, {child_waits, child_fails});
    family.run(true, [&](GroupCore& group) {
      std::vector<std::error_code> errors;
      for (;;) {
        Result<void> waited;
        GroupTask* const task = group.next_completed(waited);
        model::check(waited.has_value(), "not cancelled");
        if (task == nullptr) break;
        errors.push_back(task->outcome.error());
        group.release(*task);
      }
      model::check(errors.size() == 2 && errors[0] == Errc::closed && errors[1] == Errc::cancelled,
                   "the failure, then its echo");
    });
  });
}

TEST(ModelGroup, ResultsFailuresAndACancelMeetInAnyOrder) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(5'000), [&] {
    Family family(fibers, {child_waits, model::choose(2) == 0 ? child_fails : child_succeeds});
    family.run(false, [&](GroupCore& group) { model::check(!group.wait().has_value(), "one has failed"); },
               {{"canceller", [&] { fibers[0].cancel(); }}});
  });
}

/// Counts its children in an atomic, beside the lock: what group.md rejects.
class PlantedGroup {
 public:
  explicit PlantedGroup(int children) : running_(children) {}

  void finish() {
    if (running_.fetch_sub(1, acq_rel) != 1) return;
    Waiter* owner = nullptr;
    {
      const std::scoped_lock locked(lock_);
      if (waiting_ != nullptr && waiting_->waiter->word.try_win(waiting_->ticket, WaitOutcome::kReady))
        owner = waiting_->waiter;
    }
    if (owner != nullptr) owner->wake();
  }
  void wait() {
    Waiter& self = Waiter::current();
    WaitNode node;
    node.waiter = &self;
    {
      const std::scoped_lock locked(lock_);
      if (running_.load(acquire) == 0) return;
      node.ticket = self.begin(Cancellable::kNo);
      waiting_ = &node;
    }
    self.wait();
  }

 private:
  SpinLock lock_;
  Atomic<int> running_;
  WaitNode* waiting_ = nullptr;
};

TEST(ModelGroup, PlantedACountBesideTheLockIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kLifetime, [&] {
    auto group = std::make_unique<PlantedGroup>(1);
    model::run({{"owner", fibers.fiber(0,
                                       [&] {
                                         group->wait();
                                         group.reset();
                                       })},
                {"child", fibers.fiber(1, [raw = group.get()] { raw->finish(); })}});
  });
}

/// Looks for children, and begins its wait afterwards, in two sections.
TEST(ModelGroup, PlantedALookAndAWaitInTwoSectionsAreFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    SpinLock lock;
    int running = 1;
    WaitNode* waiting = nullptr;
    model::run({{"owner", fibers.fiber(0,
                                       [&] {
                                         {
                                           const std::scoped_lock locked(lock);
                                           if (running == 0) return;
                                         }
                                         WaitNode node;
                                         node.waiter = &Waiter::current();
                                         {
                                           const std::scoped_lock locked(lock);
                                           node.ticket = node.waiter->begin(Cancellable::kNo);
                                           waiting = &node;
                                         }
                                         node.waiter->wait();
                                       })},
                {"child", [&] {
                   Waiter* owner = nullptr;
                   {
                     const std::scoped_lock locked(lock);
                     if (--running == 0 && waiting != nullptr &&
                         waiting->waiter->word.try_win(waiting->ticket, WaitOutcome::kReady))
                       owner = waiting->waiter;
                   }
                   if (owner != nullptr) owner->wake();
                 }}});
  });
}

}  // namespace
}  // namespace weft
