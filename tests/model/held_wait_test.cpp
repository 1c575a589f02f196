// SPDX-License-Identifier: Apache-2.0
// A wait that is held by a dump (docs/design/dump.md) while others race to win it. The dump reads what the
// waiter waits for, which the waiter gives up as soon as it goes on: a hold that does not hold is a data
// race.
#include "fiber/wait_word.hpp"
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;

/// What is planted; kNone is the protocol that ships.
enum class Plant {
  kNone,
  kWinnerLooksOnce,     ///< who meets a hold takes it for a wait that has ended
  kWinnerDoesNotLook,   ///< a hold is no reason to wait
  kRequestDoesNotWait,  ///< a canceller takes a held wait for one that is somebody else's
  kLetGoStores,         ///< gives back the word that hold() has seen
  kLetGoRelaxed,
  kHoldRelaxed,
};

/// WaitWord retold, as far as a hold matters to it, so that errors can be planted.
template <Plant plant>
class RetoldWord {
 public:
  std::uint64_t begin() noexcept {
    word_.fetch_add(kEpochOne + kWaiting, seq_cst);
    return kEpochOne + kWaiting;
  }

  bool try_win(std::uint64_t ticket, std::uint64_t outcome) noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if (plant != Plant::kWinnerLooksOnce) word = wait_until_let_go(word);
      const bool blind = plant == Plant::kWinnerDoesNotLook;
      if ((word & ~(kCancelBit | (blind ? kHeldBit : 0))) != ticket) return false;
    } while (!word_.compare_exchange_weak(word, (word & ~kStateMask) | outcome, acq_rel, relaxed));
    return true;
  }

  bool request_cancel(std::uint64_t outcome) noexcept {
    std::uint64_t word = word_.fetch_or(kCancelBit, seq_cst) | kCancelBit;
    while ((word & kStateMask) >= kWaiting) {
      if ((word & kHeldBit) != 0 && plant == Plant::kRequestDoesNotWait) return false;
      word = wait_until_let_go(word);
      if ((word & kStateMask) < kWaiting) break;
      if (word_.compare_exchange_weak(word, (word & ~kStateMask) | outcome, acq_rel, relaxed)) return true;
    }
    return false;
  }

  bool hold() noexcept {
    std::uint64_t word = word_.load(relaxed);
    do {
      if ((word & kStateMask) < kWaiting || (word & kHeldBit) != 0) return false;
    } while (!word_.compare_exchange_weak(word, word | kHeldBit,
                                          plant == Plant::kHoldRelaxed ? relaxed : acq_rel, relaxed));
    held_ = word;
    return true;
  }
  void let_go() noexcept {
    if (plant == Plant::kLetGoStores) return word_.store(held_, release);
    word_.fetch_and(~kHeldBit, plant == Plant::kLetGoRelaxed ? relaxed : release);
  }

  bool waiting() const noexcept { return (word_.load(acquire) & kStateMask) >= kWaiting; }
  bool cancel_requested() const noexcept { return (word_.load(relaxed) & kCancelBit) != 0; }

 private:
  static constexpr std::uint64_t kStateMask = 0xffff;
  static constexpr std::uint64_t kWaiting = 0xff00;
  static constexpr std::uint64_t kHeldBit = 0x80;
  static constexpr std::uint64_t kCancelBit = 1u << 17;
  static constexpr std::uint64_t kEpochOne = 1u << 18;

  std::uint64_t wait_until_let_go(std::uint64_t word) const noexcept {
    if (plant == Plant::kWinnerDoesNotLook) return word;
    while ((word & kStateMask) >= kWaiting && (word & kHeldBit) != 0) {
      yield_cpu();
      word = word_.load(acquire);
    }
    return word;
  }

  Atomic<std::uint64_t> word_{0};
  std::uint64_t held_ = 0;  // of who holds it
};

template <Plant plant>
void retold_wait_is_held() {
  RetoldWord<plant> word;
  model::name(word, "word");
  model::Plain<int> object(0);
  Atomic<std::uint64_t> ticket{0};
  const bool cancels = model::choose(2) == 1;
  model::run({{"waiter",
               [&] {
                 object = 1;  // what it waits for, before begin
                 ticket.store(word.begin(), release);
                 while (word.waiting()) cpu_relax();
                 object = 2;  // it may be gone afterwards
               }},
              {"dump",
               [&] {
                 if (!word.hold()) return;
                 model::check(object == 1, "what is waited for stays as it is");
                 word.let_go();
               }},
              {"winner", [&] {
                 std::uint64_t known = 0;
                 while ((known = ticket.load(acquire)) == 0) cpu_relax();
                 model::check(cancels ? word.request_cancel(4) : word.try_win(known, 2), "nobody else wins");
               }}});
  model::check(word.cancel_requested() == cancels, "a request is kept");
}

// What is read while the wait is held is neither changed nor gone; and whoever meets the hold gets its turn.
TEST(ModelHeldWait, AWakerAndACancellerThatMeetAHoldEndTheWaitOnceAfterIt) {
  model::ModelFibers fibers;
  model::expect_holds(model::always_bounded(2), [&] {
    Fiber& fiber = fibers[0];
    fiber.word.reset();
    model::name(fiber.word, "word");
    model::Plain<int> object(0);
    WaitTicket ticket;
    Atomic<bool> begun{false};
    bool woken = false, cancelled = false, held = false;
    WaitOutcome outcome = WaitOutcome::kRetry;
    model::run(
        {{"waiter",
          fibers.fiber(
              0,
              [&] {
                object = 1;
                ticket = fiber.begin(Cancellable::kYes, Waiter::kNoDeadline, {WaitKind::kMutex, &object});
                begun.store(true, release);
                outcome = fiber.wait();  // enqueued twice is a failure
                object = 2;
              })},
         {"dump",
          [&] {
            WaitKind kind{};
            held = fiber.word.hold(kind);
            if (!held) return;
            model::check(kind == WaitKind::kMutex && fiber.waits_for == &object, "the wait is told");
            model::check(object == 1, "what is waited for stays as it is");
            fiber.word.let_go();
          }},
         {"waker",
          [&] {
            while (!begun.load(acquire)) cpu_relax();
            woken = fiber.word.try_win(ticket, WaitOutcome::kReady);
            if (woken) fiber.wake();
          }},
         {"canceller", [&] {
            cancelled = fiber.word.request_cancel();
            if (cancelled) fiber.wake();
          }}});
    model::check(woken || cancelled || outcome == WaitOutcome::kCancelled, "somebody ends it");
    model::check(!(woken && cancelled), "and one alone");
    model::check(outcome == (woken ? WaitOutcome::kReady : WaitOutcome::kCancelled), "the winner's outcome");
    model::check(fiber.word.cancel_requested(), "the request is kept");
  });
}

// The waiter found what it waits for after all, and takes its own wait back.
TEST(ModelHeldWait, AWaiterThatWinsItsOwnWaitMeetsAHold) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    WaitWord word;
    model::name(word, "word");
    model::Plain<int> object(0);
    model::run({{"waiter",
                 [&] {
                   object = 1;
                   const WaitTicket ticket = word.begin(Cancellable::kNo, WaitKind::kMutex);
                   model::check(word.try_win(ticket, WaitOutcome::kReady), "nobody else wins it");
                   object = 2;
                 }},
                {"dump", [&] {
                   WaitKind kind{};
                   if (!word.hold(kind)) return;
                   model::check(object == 1, "what is waited for stays as it is");
                   word.let_go();
                 }}});
    model::check(word.outcome() == WaitOutcome::kReady, "won");
  });
}

// dump.md, "a late ticket meets a hold of a later wait".
TEST(ModelHeldWait, ALateTicketThatMeetsTheHoldOfALaterWaitStillFails) {
  model::expect_holds([] {
    WaitWord word;
    model::name(word, "word");
    const WaitTicket old_ticket = word.begin(Cancellable::kNo);
    bool late = false, won_old = false, won_new = false;
    model::run({{"waiter",
                 [&] {
                   won_old = word.try_win(old_ticket, WaitOutcome::kReady);
                   if (!won_old) return;
                   const WaitTicket ticket = word.begin(Cancellable::kNo, WaitKind::kMutex);
                   won_new = word.try_win(ticket, WaitOutcome::kRetry);
                 }},
                {"dump",
                 [&] {
                   WaitKind kind{};
                   if (word.hold(kind)) word.let_go();
                 }},
                {"timer", [&] { late = word.try_win(old_ticket, WaitOutcome::kTimedOut); }}});
    model::check(won_old != late, "one of them won the first wait");
    model::check(won_old == won_new, "the second one is nobody else's");
  });
}

TEST(ModelHeldWait, OneOfTwoHoldsAWait) {
  model::expect_holds([] {
    WaitWord word;
    const WaitTicket ticket = word.begin(Cancellable::kNo, WaitKind::kMutex);
    model::Plain<int> inside(0);
    bool won = false;
    const auto dump = [&] {
      WaitKind kind{};
      if (!word.hold(kind)) return;
      inside = inside + 1;
      word.let_go();
    };
    model::run({{"dump", dump}, {"another", dump}, {"waker", [&] {
                                                      won = word.try_win(ticket, WaitOutcome::kReady);
                                                    }}});
    model::check(won, "a hold loses nobody a wait");
  });
}

TEST(ModelHeldWait, TheRetoldWordHolds) { model::expect_holds(retold_wait_is_held<Plant::kNone>); }

TEST(ModelHeldWait, PlantedAWinnerThatTakesAHoldForTheEndOfTheWaitIsFound) {
  model::expect_fails(FailureKind::kCheck, retold_wait_is_held<Plant::kWinnerLooksOnce>);
}

TEST(ModelHeldWait, PlantedAWinnerThatDoesNotLookForAHoldIsFound) {
  model::expect_fails(FailureKind::kDataRace, retold_wait_is_held<Plant::kWinnerDoesNotLook>);
}

TEST(ModelHeldWait, PlantedACancelRequestThatIsDroppedAtAHoldIsFound) {
  model::expect_fails(FailureKind::kCheck, retold_wait_is_held<Plant::kRequestDoesNotWait>);
}

TEST(ModelHeldWait, PlantedALetGoThatForgetsACancelRequestIsFound) {
  model::expect_fails(FailureKind::kCheck, retold_wait_is_held<Plant::kLetGoStores>);
}

TEST(ModelHeldWait, PlantedARelaxedLetGoIsFound) {
  model::expect_fails(FailureKind::kDataRace, retold_wait_is_held<Plant::kLetGoRelaxed>);
}

TEST(ModelHeldWait, PlantedARelaxedHoldIsFound) {
  model::expect_fails(FailureKind::kDataRace, retold_wait_is_held<Plant::kHoldRelaxed>);
}

}  // namespace
}  // namespace weft
