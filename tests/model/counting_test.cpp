// SPDX-License-Identifier: Apache-2.0
// Semaphore and countdown (docs/design/sync.md), with the shipping sources: a permit has one place, zero is
// the last touch of who makes it.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "sync/wait_queue.hpp"

#include <weft/detail/countdown.hpp>
#include <weft/semaphore.hpp>

#include <memory>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::ModelFibers;

TEST(ModelSemaphore, APermitIsNeitherLostNorMadeByACancel) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Semaphore semaphore(0);
    model::name(semaphore, "semaphore");
    bool got = false;
    model::run(
        {{"waiter", fibers.fiber(0, [&] { got = semaphore.acquire_until(Deadline::never()).has_value(); })},
         {"releaser", [&] { semaphore.release(); }},
         {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(semaphore.available() == (got ? 0u : 1u), "one permit in all");
  });
}

TEST(ModelSemaphore, WhoGetsThePermitMayDestroyIt) {
  ModelFibers fibers;
  model::expect_holds([&] {
    auto semaphore = std::make_unique<Semaphore>(0);
    model::run(
        {{"releaser", [raw = semaphore.get()] { raw->release(); }}, {"destroyer", fibers.fiber(0, [&] {
                                                                       semaphore->acquire_uncancellable();
                                                                       semaphore.reset();
                                                                     })}});
  });
}

/// One permit among three, each of which sees what the one before it did.
template <class Permits>
void three_take_turns(ModelFibers& fibers) {
  Permits permits(1);
  model::Plain<int> value(0);
  const auto work = [&] {
    permits.acquire_uncancellable();
    value = value + 1;
    permits.release();
  };
  model::run({{"a", fibers.fiber(0, work)}, {"b", fibers.fiber(1, work)}, {"c", fibers.fiber(2, work)}});
  model::check(value == 3 && permits.available() == 1, "all had it, and it is back");
}

TEST(ModelSemaphore, APermitGoesFromOneToTheNext) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] { three_take_turns<Semaphore>(fibers); });
  model::expect_holds(model::always_bounded(1), [&] { three_take_turns<Semaphore>(fibers); });
}

/// Looks for a permit before it takes the queue bit, and not again.
class PlantedSemaphore {
 public:
  explicit PlantedSemaphore(std::size_t permits) : permits_(permits) {}

  void acquire_uncancellable() {
    std::size_t there = permits_.load(relaxed);
    while (there != 0) {
      if (permits_.compare_exchange_weak(there, there - 1, weft::acquire, relaxed)) return;
    }
    QueueNode own;
    wait_in_queue(
        own, {}, Cancellable::kNo, Deadline::never(),
        [&](QueueNode& node) {
          WaitChain chain = queue_.lock();
          chain.push_back(node);
          queue_.unlock(chain);
          return true;
        },
        [](QueueNode&) {});
  }

  void release() {
    WaitChain chain = queue_.lock();
    QueueNode* const won = chain.win_first();
    if (won == nullptr) permits_.fetch_add(1, weft::release);
    queue_.unlock(chain);
    if (won != nullptr) won->waiter->wake();
  }
  std::size_t available() const { return permits_.load(relaxed); }

 private:
  Atomic<std::size_t> permits_;
  detail::WaitQueue queue_;
};

TEST(ModelSemaphore, PlantedALookForPermitsBeforeTheQueueOnlyIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::always_bounded(2), FailureKind::kDeadlock,
                      [&] { three_take_turns<PlantedSemaphore>(fibers); });
}

/// Two count down, and who waits for zero destroys the counter.
template <class Counter>
void zero_is_the_end_of_it(ModelFibers& fibers) {
  auto counter = std::make_unique<Counter>(2);
  model::Plain<int> done(0);
  model::run({{"first",
               [&, raw = counter.get()] {
                 done = 1;
                 raw->add(-1);
               }},
              {"second", [raw = counter.get()] { raw->add(-1); }},
              {"destroyer", fibers.fiber(0, [&] {
                 counter->wait_uncancellable();
                 model::check(done == 1, "what was done before is seen");
                 counter.reset();
               })}});
}

TEST(ModelCountdown, WhoWaitsForZeroMayDestroyIt) {
  ModelFibers fibers;
  model::expect_holds([&] { zero_is_the_end_of_it<detail::Countdown>(fibers); });
}

/// `wait` of two fibers, and what wakes both, one in a section: the portion is one. The last to return
/// destroys the object.
template <class Object, class Wait, class Wake>
void two_are_woken_in_portions(ModelFibers& fibers, std::unique_ptr<Object> object, Wait wait, Wake wake,
                               bool one_is_cancelled) {
  Atomic<int> inside{3};
  const auto leave = [&] {
    if (inside.fetch_sub(1, acq_rel) == 1) object.reset();
  };
  const auto waiter = [&, raw = object.get()] {
    wait(*raw);
    leave();
  };
  std::vector<model::ThreadBody> threads{{"first", fibers.fiber(0, waiter)},
                                         {"second", fibers.fiber(1, waiter)},
                                         {"waker", [&, raw = object.get()] {
                                            wake(*raw);
                                            leave();
                                          }}};
  if (one_is_cancelled) threads.push_back({"canceller", [&] { fibers[1].cancel(); }});
  model::run(threads);
}

void two_wait_for_zero(ModelFibers& fibers, bool one_is_cancelled) {
  two_are_woken_in_portions(
      fibers, std::make_unique<detail::Countdown>(1),
      [](detail::Countdown& countdown) { static_cast<void>(countdown.wait_until(Deadline::never())); },
      [](detail::Countdown& countdown) { countdown.add(-1); }, one_is_cancelled);
}

// All of the 934,554 executions hold; they take half a minute.
TEST(ModelCountdown, AllWhoWaitForZeroAreWokenHoweverManyPortionsThatTakes) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(20'000), [&] { two_wait_for_zero(fibers, false); });
}

TEST(ModelCountdown, AWaiterThatIsCancelledLeavesWhatIsLeftOfThem) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(5'000), [&] { two_wait_for_zero(fibers, true); });
}

/// Two wait for zero, and one of them may give up. The last of the two to be back destroys the counter:
/// whoever made it zero may still be between two portions.
void the_last_waiter_destroys(ModelFibers& fibers) {
  auto counter = std::make_unique<detail::Countdown>(1);
  Atomic<int> waiting{2};
  const auto waiter = [&, raw = counter.get()] {
    static_cast<void>(raw->wait_until(Deadline::never()));
    if (waiting.fetch_sub(1, acq_rel) == 1) counter.reset();
  };
  model::run({{"first", fibers.fiber(0, waiter)},
              {"second", fibers.fiber(1, waiter)},
              {"last", [raw = counter.get()] { raw->add(-1); }},
              {"canceller", [&] { fibers[1].cancel(); }}});
}

TEST(ModelCountdown, WhoIsBackLastMayDestroyItWhileTheWakerIsBetweenPortions) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(20'000), [&] { the_last_waiter_destroys(fibers); });
}

/// Reaches zero with two waiters, and again at once: the second round's waiter is not the first one's.
TEST(ModelCountdown, ARoundMayBeginWhileThoseOfTheLastOneAreWoken) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(5'000), [&] {
    detail::Countdown countdown(1);
    model::run({{"first", fibers.fiber(0,
                                       [&] {
                                         countdown.wait_uncancellable();
                                         countdown.add(1);
                                         countdown.add(-1);
                                         countdown.wait_uncancellable();
                                       })},
                {"second", fibers.fiber(1, [&] { countdown.wait_uncancellable(); })},
                {"last", [&] { countdown.add(-1); }}});
    model::check(countdown.count() == 0, "zero");
  });
}

TEST(ModelSemaphore, PermitsForManyAreGivenInPortions) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(5'000), [&] {
    two_are_woken_in_portions(
        fibers, std::make_unique<Semaphore>(0),
        [](Semaphore& semaphore) { semaphore.acquire_uncancellable(); },
        [](Semaphore& semaphore) { semaphore.release(2); }, false);
  });
}

TEST(ModelCountdown, ACancelledWaiterMeetsTheLastStep) {
  ModelFibers fibers;
  model::expect_holds([&] {
    detail::Countdown countdown(1);
    model::run(
        {{"waiter", fibers.fiber(0, [&] { static_cast<void>(countdown.wait_until(Deadline::never())); })},
         {"last", [&] { countdown.add(-1); }},
         {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(countdown.settled(), "zero, and nobody on the way out");
  });
}

// sync.md, "raised meanwhile": whoever reaches zero is the one that wakes.
TEST(ModelCountdown, AStepThatMeetsARaiseLeavesZeroToTheLastOne) {
  ModelFibers fibers;
  model::expect_holds([&] {
    detail::Countdown countdown(2);
    model::Plain<int> done(0);
    model::run({{"down", [&] { countdown.add(-1); }},
                {"up and down",
                 [&] {
                   countdown.add(1);
                   countdown.add(-1);
                   done = 1;
                   countdown.add(-1);
                 }},
                {"waiter", fibers.fiber(0, [&] {
                   countdown.wait_uncancellable();
                   model::check(done == 1, "not before the last one");
                 })}});
    model::check(countdown.count() == 0, "zero");
  });
}

// Whether they wait for what is added now is decided by a race: it is reported where it can be seen, between
// the zero and the wake-up.
TEST(ModelCountdown, AnAddAtZeroWhileOthersWaitThereIsReported) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kPanic, [&] {
    detail::Countdown countdown(1);
    model::run({{"waiter", fibers.fiber(0, [&] { countdown.wait_uncancellable(); })},
                {"last", [&] { countdown.add(-1); }},
                {"adds", [&] {
                   countdown.add(1);
                   countdown.add(-1);
                 }}});
  });
}

/// Takes the queue bit when the counter is zero already.
class PlantedCountdown {
 public:
  explicit PlantedCountdown(std::int64_t count) : count_(count) {}

  void add(std::int64_t delta) {
    if (count_.fetch_add(delta, acq_rel) + delta != 0) return;
    WaitChain chain = queue_.lock();
    WaitChain won;
    chain.win_portion(won);
    queue_.unlock(chain);
    won.wake_all();
  }
  void wait_uncancellable() {
    if (count_.load(acquire) == 0 && !queue_.locked()) return;
    QueueNode own;
    wait_in_queue(
        own, {}, Cancellable::kNo, Deadline::never(),
        [&](QueueNode& node) {
          WaitChain chain = queue_.lock();
          const bool must_wait = count_.load(acquire) != 0;
          if (must_wait) chain.push_back(node);
          queue_.unlock(chain);
          return must_wait;
        },
        [](QueueNode&) {});
  }

 private:
  Atomic<std::int64_t> count_;
  detail::WaitQueue queue_;
};

TEST(ModelCountdown, PlantedAZeroBeforeTheQueueBitIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kLifetime, [&] { zero_is_the_end_of_it<PlantedCountdown>(fibers); });
}

}  // namespace
}  // namespace weft
