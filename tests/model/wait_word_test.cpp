// SPDX-License-Identifier: Apache-2.0
// The wait word (L6, P1; docs/design/wait.md).
#include "fiber/wait_word.hpp"
#include "model/model.hpp"

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;

TEST(ModelWaitWord, OneOfThreeWinsAWait) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    WaitWord word;
    model::name(word, "word");
    const WaitTicket ticket = word.begin(Cancellable::kYes);
    bool ready = false, timed_out = false, cancelled = false;
    model::run({{"poller", [&] { ready = word.try_win(ticket, WaitOutcome::kReady); }},
                {"timer", [&] { timed_out = word.try_win(ticket, WaitOutcome::kTimedOut); }},
                {"canceller", [&] { cancelled = word.request_cancel(); }}});
    model::check(ready + timed_out + cancelled == 1, "exactly one wins");
    const WaitOutcome expected = ready       ? WaitOutcome::kReady
                                 : timed_out ? WaitOutcome::kTimedOut
                                             : WaitOutcome::kCancelled;
    model::check(word.outcome() == expected, "the outcome is the winner's");
    model::check(word.cancel_requested(), "the request is kept");
  });
}

// P1, the late timer: its ticket is of the wait before.
TEST(ModelWaitWord, ATicketOfAnEarlierWaitNeverWinsTheNextOne) {
  model::expect_holds([] {
    WaitWord word;
    const WaitTicket old_ticket = word.begin(Cancellable::kNo);
    bool late = false, won_old = false, won_new = false;
    model::run({{"waiter",
                 [&] {
                   won_old = word.try_win(old_ticket, WaitOutcome::kReady);
                   if (!won_old) return;
                   const WaitTicket ticket = word.begin(Cancellable::kNo);
                   won_new = word.try_win(ticket, WaitOutcome::kRetry);
                 }},
                {"timer", [&] { late = word.try_win(old_ticket, WaitOutcome::kTimedOut); }}});
    model::check(won_old != late, "one of them won the first wait");
    model::check(won_old == won_new, "the second one is nobody else's");
  });
}

// The message of a win: what the winner did before is seen by the waiter, and the other way round.
TEST(ModelWaitWord, TheWaiterSeesWhatTheWinnerDidAndTheWinnerWhatTheWaiterDid) {
  model::expect_holds([] {
    WaitWord word;
    Atomic<bool> begun{false};
    model::Plain<int> of_winner(0), of_waiter(0);
    WaitTicket ticket;
    model::run({{"waiter",
                 [&] {
                   of_waiter = 1;
                   ticket = word.begin(Cancellable::kNo);
                   begun.store(true, release);
                   while (word.waiting()) cpu_relax();
                   if (word.outcome() == WaitOutcome::kReady) model::check(of_winner == 1, "seen");
                 }},
                {"winner", [&] {
                   WaitTicket current;
                   while (!word.current(current)) cpu_relax();
                   of_winner = 1;
                   model::check(of_waiter == 1, "seen");
                   model::check(word.try_win(current, WaitOutcome::kReady), "nobody else is there");
                 }}});
  });
}

// Store buffering between begin() and request_cancel(): one of the two acts on the request.
TEST(ModelWaitWord, ACancelRequestBeforeOrAfterBeginIsActedOnOnce) {
  model::expect_holds([] {
    WaitWord word;
    model::name(word, "word");
    bool by_waiter = false, by_canceller = false;
    model::run({{"waiter",
                 [&] {
                   [[maybe_unused]] const WaitTicket ticket = word.begin(Cancellable::kYes);
                   // As Waiter::wait() does.
                   by_waiter = word.cancel_requested() && word.request_cancel();
                   if (by_waiter) return;
                   while (word.waiting()) cpu_relax();
                 }},
                {"canceller", [&] { by_canceller = word.request_cancel(); }}});
    model::check(by_waiter != by_canceller, "one of the two ends the wait");
    model::check(word.outcome() == WaitOutcome::kCancelled, "and says so");
  });
}

}  // namespace
}  // namespace weft
