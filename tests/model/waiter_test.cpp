// SPDX-License-Identifier: Apache-2.0
// Waiters that sleep, and joins (docs/design/wait.md), with the shipping waiter.cpp and join.cpp.
#include "execution_context/idle/parker.hpp"
#include "fiber/join.hpp"
#include "model/runtime/fibers.hpp"

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;

// "The end of a plain thread's wait": the waker may come before the thread sleeps, and its futex call after
// the thread has gone on; a deadline may pass at any moment.
TEST(ModelWaiter, APlainThreadIsWokenOnceAlsoIfItsDeadlinePasses) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    WaitTicket ticket;
    Waiter* waiter = nullptr;
    Atomic<bool> begun{false};
    bool won = false;
    WaitOutcome first = WaitOutcome::kRetry, second = WaitOutcome::kRetry;
    model::run({{"thread",
                 [&] {
                   waiter = &Waiter::current();
                   ticket = waiter->begin(Cancellable::kNo, 10);
                   begun.store(true, release);
                   first = waiter->wait();
                   waiter->begin(Cancellable::kNo, 20);  // the earlier wake-up must not end this one
                   second = waiter->wait();
                 }},
                {"waker", [&] {
                   while (!begun.load(acquire)) cpu_relax();
                   won = waiter->word.try_win(ticket, WaitOutcome::kReady);
                   if (won) waiter->wake();
                 }}});
    model::check(first == (won ? WaitOutcome::kReady : WaitOutcome::kTimedOut), "the winner's outcome");
    model::check(second == WaitOutcome::kTimedOut, "nobody wakes the second wait");
  });
}

TEST(ModelParker, AnUnparkIsNeverLost) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    Parker parker;
    model::name(parker, "parker");
    model::Plain<int> message(0);
    model::run({{"sleeper",
                 [&] {
                   parker.park();
                   model::check(message == 1, "what the waker did is seen");
                 }},
                {"waker", [&] {
                   message = 1;
                   parker.unpark();
                 }}});
  });
}

TEST(ModelParker, AnUnparkThatComesAsTheTimePassesIsTakenOrKept) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    Parker parker;
    model::name(parker, "parker");
    model::run({{"sleeper",
                 [&] {
                   if (!parker.park_until(Deadline::at_ns(10))) parker.park();
                 }},
                {"waker", [&] { parker.unpark(); }}});
  });
}

/// Two pieces of work, each with its unpark; whoever looks for them may spin before it sleeps.
template <class AnyParker>
void two_unparks() {
  AnyParker parker;
  Atomic<int> work(0);
  model::name(parker, "parker");
  model::name(work, "work");
  model::run({{"sleeper",
               [&] {
                 while (work.load(relaxed) < 2) {
                   if (!parker.try_take()) parker.park();
                 }
               }},
              {"waker", [&] {
                 for (int i = 1; i <= 2; ++i) {
                   work.store(i, relaxed);
                   parker.unpark();
                 }
               }}});
}

TEST(ModelParker, NoneOfTwoUnparksIsLostBySpinOrSleep) { model::expect_holds(two_unparks<Parker>); }

/// Forgets an unpark that comes while it wakes.
class ForgetfulParker {
 public:
  bool try_take() noexcept { return false; }
  void park() noexcept {
    while (word_.exchange(kAsleep, acquire) != kToken) sys::futex_wait(word_, kAsleep);
    word_.store(0, relaxed);
  }
  void unpark() noexcept {
    if (word_.exchange(kToken, release) == kAsleep) sys::futex_wake(word_, 1);
  }

 private:
  static constexpr std::uint32_t kToken = 1;
  static constexpr std::uint32_t kAsleep = 2;
  Atomic<std::uint32_t> word_{0};
};

TEST(ModelParker, PlantedATokenThatIsOverwrittenIsFound) {
  model::expect_fails(FailureKind::kDeadlock, two_unparks<ForgetfulParker>);
}

/// Wakes before it puts the token.
class PlantedParker {
 public:
  void park() noexcept {
    while (token_.exchange(0, acquire) == 0) sys::futex_wait(token_, 0);
  }
  void unpark() noexcept {
    sys::futex_wake(token_, 1);
    token_.store(1, release);
  }

 private:
  Atomic<std::uint32_t> token_{0};
};

TEST(ModelParker, PlantedAWakeBeforeTheTokenIsFound) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    PlantedParker parker;
    model::run({{"sleeper", [&] { parker.park(); }}, {"waker", [&] { parker.unpark(); }}});
  });
}

/// A fiber that ends is a fiber anew in the next execution.
void begin_again(Fiber& fiber) {
  fiber.done = fiber.detached = false;
  model::name(fiber.word, "word");
  model::name(fiber.join_lock, "join_lock");
}

TEST(ModelJoin, JoinersAreWokenOnceWhenTheFiberEnds) {
  model::ModelFibers fibers;
  model::expect_holds([&] {
    begin_again(fibers[0]);
    model::Plain<int> result(0);
    const auto join = [&] {
      model::check(join_fiber(fibers[0], Deadline::never(), Cancellable::kNo) == WaitOutcome::kReady,
                   "ended");
      model::check(result == 1, "its result is seen");
    };
    model::run({{"ends", fibers.fiber(0,
                                      [&] {
                                        result = 1;
                                        model::check(!complete_fiber(fibers[0]), "it is not detached");
                                      })},
                {"joiner", fibers.fiber(1, join)},
                {"other joiner", fibers.fiber(2, join)}});
  });
}

TEST(ModelJoin, ACancelledJoinLeavesNoNodeBehind) {
  model::ModelFibers fibers;
  model::expect_holds([&] {
    begin_again(fibers[0]);
    fibers[1].word.reset();
    WaitOutcome outcome = WaitOutcome::kRetry;
    model::run(
        {{"ends", fibers.fiber(0, [&] { static_cast<void>(complete_fiber(fibers[0])); })},
         {"joiner",
          fibers.fiber(1, [&] { outcome = join_fiber(fibers[0], Deadline::never(), Cancellable::kYes); })},
         {"canceller", [&] { fibers[1].cancel(); }}});
    model::check(outcome == WaitOutcome::kReady || outcome == WaitOutcome::kCancelled, "one of the two");
    model::check(fibers[0].joiners.empty(), "nobody stands in the list");
  });
}

// The result is destroyed by the fiber if it was detached before it ended, by the holder if it ended before.
TEST(ModelJoin, EndAndDetachDestroyTheResultOnce) {
  model::ModelFibers fibers;
  model::expect_holds([&] {
    Fiber& fiber = fibers[0];
    begin_again(fiber);
    model::Plain<int> drops(0);
    fiber.storage = &drops;
    fiber.started = fiber.main_returned = true;
    fiber.drop = [](void* storage) noexcept {
      auto& count = *static_cast<model::Plain<int>*>(storage);
      count = count + 1;
    };
    const auto ends = [&] {
      if (complete_fiber(fiber)) fiber.drop_storage();
    };
    const auto lets_go = [&] { detach_fiber(fiber); };
    model::run({{"ends", fibers.fiber(0, ends)}, {"holder", lets_go}});
    model::check(drops == 1, "one of the two destroyed it");
  });
}

}  // namespace
}  // namespace weft
