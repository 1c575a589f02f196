// SPDX-License-Identifier: Apache-2.0
// The mutex (docs/design/mutex.md), with the shipping mutex_word.cpp: barging, handing over, giving up. A
// wake-up that is lost is a deadlock of the model.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "sync/mutex_word.hpp"

#include <memory>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::ModelFibers;
using mutex_word::kLocked;

/// A mutex, and what it guards.
struct Guarded {
  SyncWord word{0};
  model::Plain<int> value{0};

  Guarded() { model::name(word, "word"); }

  void lock() { mutex_word::lock(word, Cancellable::kNo, Deadline::never()); }
  void work(std::uint8_t losses_max, int rounds = 1) {
    for (int i = 0; i < rounds; ++i) {
      lock();
      value = value + 1;
      mutex_word::unlock(word, losses_max);
    }
  }
  /// False if it was cancelled.
  bool work_unless_cancelled() {
    if (mutex_word::lock(word, Cancellable::kYes, Deadline::never()) != WaitOutcome::kReady) return false;
    value = value + 1;
    mutex_word::unlock(word, mutex_word::kLossesMax);
    return true;
  }
  void expect_free() { model::check(word.load(relaxed) == 0, "free, and nobody waits"); }
};

void two_lock_each_other_out(const model::Options& options, std::uint8_t losses_max, int rounds) {
  ModelFibers fibers;
  model::expect_holds(options, [&] {
    Guarded guarded;
    model::run({{"a", fibers.fiber(0, [&] { guarded.work(losses_max, rounds); })},
                {"b", fibers.fiber(1, [&] { guarded.work(losses_max); })}});
    model::check(guarded.value == rounds + 1, "nothing is lost");
    guarded.expect_free();
  });
}

TEST(ModelMutex, AWokenWaiterAndABargerLockEachOtherOut) {
  two_lock_each_other_out(model::always_bounded(3), mutex_word::kLossesMax, 2);
}
TEST(ModelMutex, AMutexIsHandedOverAtTheFirstUnlock) { two_lock_each_other_out({}, 0, 2); }
TEST(ModelMutex, AMutexIsHandedOverAfterOneLoss) { two_lock_each_other_out(model::always_bounded(2), 1, 3); }

TEST(ModelMutex, ThreeFibersGetItOneAfterTheOther) {
  ModelFibers fibers;
  model::expect_holds(model::always_bounded(1), [&] {
    Guarded guarded;
    model::run({{"a", fibers.fiber(0, [&] { guarded.work(1); })},
                {"b", fibers.fiber(1, [&] { guarded.work(1); })},
                {"c", fibers.fiber(2, [&] { guarded.work(1); })}});
    model::check(guarded.value == 3, "nothing is lost");
    guarded.expect_free();
  });
}

TEST(ModelMutex, ThreeFibersThatComeAgainLoseNothing) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] {
    Guarded guarded;
    model::run({{"a", fibers.fiber(0, [&] { guarded.work(1, 2); })},
                {"b", fibers.fiber(1, [&] { guarded.work(1, 2); })},
                {"c", fibers.fiber(2, [&] { guarded.work(1, 2); })}});
    model::check(guarded.value == 6, "nothing is lost");
    guarded.expect_free();
  });
}

TEST(ModelMutex, ACancelledWaiterLeavesNothingBehind) {
  ModelFibers fibers;
  model::expect_holds(model::always_bounded(3), [&] {
    Guarded guarded;
    bool got = false;
    model::run({{"holder", fibers.fiber(0, [&] { guarded.work(1); })},
                {"waiter", fibers.fiber(1, [&] { got = guarded.work_unless_cancelled(); })},
                {"canceller", [&] { fibers[1].cancel(); }}});
    model::check(guarded.value == (got ? 2 : 1), "who gave up did not have it");
    guarded.expect_free();
  });
}

/// The holder unlocks while one waits and another gives up: the races "unlock against give-up" and "cancel of
/// a woken waiter".
template <class Unlock>
void unlock_meets_one_that_gives_up(ModelFibers& fibers, Unlock unlock) {
  Guarded guarded;
  guarded.lock();
  const auto waits = fibers.fiber(0, [&] { guarded.work(1); });
  const auto gives_up = fibers.fiber(1, [&] { guarded.work_unless_cancelled(); });
  fibers[1].cancel();
  model::run({{"holder", [&] { unlock(guarded.word); }}, {"waiter", waits}, {"gives up", gives_up}});
  guarded.expect_free();
}

TEST(ModelMutex, AnUnlockThatMeetsOneThatGivesUpStillWakesTheNext) {
  ModelFibers fibers;
  for (const model::Options& options : {model::always_bounded(0), model::at_random(10'000)}) {
    model::expect_holds(options, [&] {
      unlock_meets_one_that_gives_up(fibers, [](SyncWord& word) { mutex_word::unlock(word); });
    });
  }
}

TEST(ModelMutex, WhoLocksNextMayDestroyIt) {
  ModelFibers fibers;
  for (const std::uint8_t losses_max : {std::uint8_t{0}, mutex_word::kLossesMax}) {
    model::expect_holds([&] {
      auto guarded = std::make_unique<Guarded>();
      guarded->lock();
      model::run({{"unlocker", [&, raw = guarded.get()] { mutex_word::unlock(raw->word, losses_max); }},
                  {"destroyer", fibers.fiber(0, [&] {
                     guarded->lock();
                     mutex_word::unlock(guarded->word, losses_max);
                     guarded.reset();
                   })}});
    });
  }
}

/// Just unlocks if somebody works on the chain, as if whoever does so looked again; one that gives up does
/// not.
void planted_unlock(SyncWord& word) {
  std::uintptr_t now = word.load(relaxed);
  while ((now & kQueueBit) != 0) {
    if (word.compare_exchange_weak(now, now & ~kLocked, release, relaxed)) return;
  }
  mutex_word::unlock(word);
}

TEST(ModelMutex, PlantedAnUnlockThatDoesNotWaitForTheQueueBitIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::always_bounded(1), FailureKind::kDeadlock,
                      [&] { unlock_meets_one_that_gives_up(fibers, planted_unlock); });
}

TEST(ModelMutex, PlantedALastTouchAfterTheUnlockIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kLifetime, [&] {
    auto guarded = std::make_unique<Guarded>();
    guarded->lock();
    model::run({{"unlocker",
                 [raw = guarded.get()] {
                   mutex_word::unlock(raw->word);
                   static_cast<void>(raw->word.load(relaxed));
                 }},
                {"destroyer", fibers.fiber(0, [&] {
                   guarded->lock();
                   mutex_word::unlock(guarded->word);
                   guarded.reset();
                 })}});
  });
}

TEST(ModelMutex, PlantedARelaxedUnlockIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDataRace, [&] {
    Guarded guarded;
    model::run({{"a",
                 [&] {
                   if (!mutex_word::try_lock(guarded.word)) return;
                   guarded.value = guarded.value + 1;
                   guarded.word.fetch_and(~kLocked, relaxed);
                 }},
                {"b", [&] {
                   if (!mutex_word::try_lock(guarded.word)) return;
                   guarded.value = guarded.value + 1;
                   mutex_word::unlock(guarded.word);
                 }}});
  });
}

/// As a waiter that has lost its race would be if its mark stayed: nobody else is woken while it is set.
TEST(ModelMutex, PlantedAWokenMarkThatStaysIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::always_bounded(2), FailureKind::kDeadlock, [&] {
    Guarded guarded;
    guarded.lock();
    model::run({{"holder",
                 [&] {
                   guarded.word.fetch_or(mutex_word::kWoken, relaxed);
                   mutex_word::unlock(guarded.word);
                 }},
                {"waiter", fibers.fiber(0, [&] { guarded.work(1); })}});
  });
}

}  // namespace
}  // namespace weft
