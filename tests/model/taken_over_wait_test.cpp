// SPDX-License-Identifier: Apache-2.0
// A wait that is taken over (docs/design/wait.md), with the shipping Waiter, LoopTimers and CancelNode: a
// thread wins the wait of a fiber and goes on with it, while a timer fires, a cancel comes and a scope ends.
#include "fiber/cancel_node.hpp"
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;

/// A fiber that waits in a scope, cancellably and until 10, for a thread that takes its wait over, works, and
/// ends it.
struct TakenOver {
  explicit TakenOver(model::ModelFibers& used) : fibers(used), fiber(used[0]) {
    fibers.runner(0).timers = &timers;
    model::name(fiber.word, "word");
    model::name(fiber.deadline_ns, "deadline");
    model::name(fiber.ended_by_scope, "ended_by_scope");
    model::name(timers, "timers");
    model::name(scope, "scope");
  }

  model::ThreadBody waits(bool in_scope) {
    return {"fiber", fibers.fiber(0, [this, in_scope] {
              if (in_scope) scope.enter(CancelNode::kNoDeadline, CancelNode::Shield::kNo);
              ticket = fiber.begin(Cancellable::kYes, 10);
              begun.store(true, release);
              if (fiber.wait() == WaitOutcome::kReady) model::check(worked == 1, "it returns after the work");
              returned = true;
              timers.disarm(fiber);
              if (in_scope) scope.leave();
            })};
  }
  template <class TakeOver>
  model::ThreadBody works(TakeOver take_over) {
    return {"worker", [this, take_over] {
              while (!begun.load(acquire)) cpu_relax();
              if (!fiber.word.try_win(ticket, WaitOutcome::kReady)) return;
              const WaitTicket own = take_over(fiber);
              model::check(!returned, "the fiber waits");
              worked = 1;
              model::check(fiber.word.try_win(own, WaitOutcome::kReady), "nobody else ends the wait");
              fiber.wake();
            }};
  }
  model::ThreadBody expires() {
    return {"poller", [this] {
              while (!begun.load(acquire)) cpu_relax();
              FiberQueue won;
              timers.expire(15, won);
              while (Fiber* woken = won.pop()) woken->wake();
            }};
  }

  model::ThreadBody ends_scope() {
    return {"ender", [this] {
              while (!begun.load(acquire)) cpu_relax();
              scope.end(WaitOutcome::kCancelled);  // the node outlives the scope of it
            }};
  }

  model::ModelFibers& fibers;
  Fiber& fiber;
  LoopTimers timers{0};
  CancelNode scope;
  WaitTicket ticket;
  Atomic<bool> begun{false};
  model::Plain<int> worked{0};
  model::Plain<bool> returned{false};
};

constexpr auto kShipped = [](Waiter& waiter) { return waiter.take_over({}); };

/// As take_over(), but for one of its steps.
WaitTicket take_over_with_deadline(Waiter& waiter) {
  waiter.ended_by_scope.store(false, relaxed);
  return waiter.word.begin(Cancellable::kNo);
}
WaitTicket take_over_in_scope(Waiter& waiter) {
  waiter.deadline_ns.store(Waiter::kNoDeadline, relaxed);
  return waiter.word.begin(Cancellable::kNo);
}

template <class TakeOver>
void against_a_timer(model::ModelFibers& fibers, TakeOver take_over) {
  TakenOver model(fibers);
  model::run({model.waits(false), model.works(take_over), model.expires()});
}

template <class TakeOver>
void against_a_scope(model::ModelFibers& fibers, TakeOver take_over) {
  TakenOver model(fibers);
  model::run({model.waits(true), model.works(take_over), model.ends_scope()});
}

TEST(ModelTakenOverWait, ItsDeadlineDoesNotEndIt) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] { against_a_timer(fibers, kShipped); });
}

TEST(ModelTakenOverWait, ACancelOfItsFiberDoesNotEndIt) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    TakenOver model(fibers);
    model::run({model.waits(false), model.works(kShipped), {"canceller", [&] {
                                                              while (!model.begun.load(acquire)) cpu_relax();
                                                              if (model.fiber.word.request_cancel())
                                                                model.fiber.wake();
                                                            }}});
  });
}

TEST(ModelTakenOverWait, TheEndOfItsScopeDoesNotEndIt) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(2), [&] { against_a_scope(fibers, kShipped); });
}

TEST(ModelTakenOverWait, PlantedADeadlineThatIsKeptIsFound) {
  model::ModelFibers fibers;
  model::expect_fails(model::bounded(3), FailureKind::kDataRace,
                      [&] { against_a_timer(fibers, take_over_with_deadline); });
}

TEST(ModelTakenOverWait, PlantedAScopeThatIsKeptIsFound) {
  model::ModelFibers fibers;
  model::expect_fails(model::bounded(3), FailureKind::kDataRace,
                      [&] { against_a_scope(fibers, take_over_in_scope); });
}

}  // namespace
}  // namespace weft
