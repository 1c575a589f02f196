// SPDX-License-Identifier: Apache-2.0
// The lazy timer (docs/design/wait.md), with the shipping Waiter and LoopTimers: a fiber whose timer is armed
// begins a wait with a later deadline, while the timer fires.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;

/// One fiber, and a poller that expires what is due until the fiber has ended.
struct Timed {
  explicit Timed(model::ModelFibers& used) : fibers(used), fiber(used[0]) {
    fibers.runner(0).timers = &timers;
    model::name(fiber.word, "word");
    model::name(fiber.deadline_ns, "deadline");
    model::name(fiber.armed_at_ns, "armed_at");
    model::name(timers, "timers");
  }

  /// A wait until 10 that ends early, by the fiber itself, unless the poller times it out; the timer stays
  /// armed.
  void wait_shortly() {
    const WaitTicket ticket = fiber.begin(Cancellable::kNo, 10);
    [[maybe_unused]] const bool first = timers.arm(fiber);
    if (!fiber.word.try_win(ticket, WaitOutcome::kReady)) fiber.wait();
  }

  void expire(std::int64_t time_ns) {
    now_ns.store(time_ns, relaxed);
    FiberQueue won;
    timers.expire(time_ns, won);
    while (Fiber* woken = won.pop()) woken->wake();
  }
  /// As a loop that sleeps until the next deadline.
  void poll() {
    expire(15);
    for (;;) {
      const std::int64_t next_ns = timers.next_ns();
      if (ended.load(acquire)) return;
      if (next_ns == TimerQueue::kNever) {
        cpu_relax();
      } else {
        expire(next_ns < 15 ? 15 : next_ns);
      }
    }
  }

  model::ModelFibers& fibers;
  Fiber& fiber;
  LoopTimers timers{0};
  Atomic<std::int64_t> now_ns{0};
  Atomic<bool> ended{false};
};

template <class SecondWait>
void second_wait(model::ModelFibers& fibers, SecondWait wait) {
  Timed model(fibers);
  model::run({{"fiber", fibers.fiber(0,
                                     [&] {
                                       model.wait_shortly();
                                       model::check(wait(model) == WaitOutcome::kTimedOut, "it times out");
                                       model::check(model.now_ns.load(relaxed) >= 20,
                                                    "and not before its time");
                                       model.timers.disarm(model.fiber);
                                       model.ended.store(true, release);
                                     })},
              {"poller", [&] { model.poll(); }}});
}

TEST(ModelLazyTimer, AWaitWithALaterDeadlineTimesOutAtItsOwnTime) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    second_wait(fibers, [](Timed& model) {
      model.fiber.begin(Cancellable::kNo, 20);
      return model.fiber.wait();
    });
  });
}

/// Waiter::wait() as it would be with `look` at the timer.
template <class Look>
WaitOutcome wait_with(Timed& model, Look look) {
  if (look()) model.fibers.runner(0).arm_timer(model.fiber);
  model::suspend();
  return model.fiber.word.outcome();
}

TEST(ModelLazyTimer, PlantedALookAtTheTimerBeforeTheWaitBeginsIsFound) {
  model::ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    second_wait(fibers, [](Timed& model) {
      const bool arm = 20 < model.fiber.armed_at_ns.load(seq_cst);
      model.fiber.begin(Cancellable::kNo, 20);
      return wait_with(model, [&] { return arm; });
    });
  });
}

TEST(ModelLazyTimer, PlantedARelaxedLookAtTheTimerIsFound) {
  model::ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    second_wait(fibers, [](Timed& model) {
      model.fiber.begin(Cancellable::kNo, 20);
      return wait_with(model, [&] { return 20 < model.fiber.armed_at_ns.load(relaxed); });
    });
  });
}

}  // namespace
}  // namespace weft
