// SPDX-License-Identifier: Apache-2.0
// The inbox of a signal, and the sleep of the thread that passes signals on (docs/design/signals.md), with
// the shipping SignalInbox. A handler is a thread of the model: it may interrupt any other at any step.
#include "execution_context/signals/signal_inbox.hpp"
#include "model/bounds.hpp"
#include "model/model.hpp"
#include "sys/futex.hpp"

namespace weft {
namespace {

using model::FailureKind;

TEST(ModelSignalInbox, EachHandlerCountsOnceAndNoSenderIsInvented) {
  model::expect_holds([] {
    SignalInbox inbox;
    model::name(inbox, "inbox");
    int taken = 0;
    const auto take = [&] {
      for (pid_t sender = -1; inbox.take(sender); ++taken)
        model::check(sender == 0 || sender == 11 || sender == 12, "who sent it, or nobody");
    };
    model::run(
        {{"handler 1", [&] { inbox.put(11); }}, {"handler 2", [&] { inbox.put(12); }}, {"passes on", take}});
    take();
    model::check(taken == 2, "two have come");
  });
}

TEST(ModelSignalInbox, ASenderThatIsKnownIsTheRightOne) {
  model::expect_holds([] {
    SignalInbox inbox;
    model::run({{"handler", [&] {
                   inbox.put(11);
                   inbox.put(12);
                 }}});
    pid_t first = -1, second = -1, third = -1;
    model::check(inbox.take(first) && inbox.take(second) && !inbox.take(third), "two have come");
    model::check(first == 11 && second == 12, "in their order");
  });
}

/// The thread sleeps unless a request has come since it looked; `wake` is the order of the handler's steps.
template <class Handler>
void passes_on_what_comes(Handler handler) {
  SignalInbox inbox;
  Atomic<std::uint32_t> requests{0};
  model::name(inbox, "inbox");
  model::name(requests, "requests");
  model::run({{"thread",
               [&] {
                 for (int taken = 0; taken < 2;) {
                   const std::uint32_t seen = requests.load(seq_cst);
                   for (pid_t sender = 0; inbox.take(sender);) ++taken;
                   if (taken < 2 && requests.load(seq_cst) == seen) sys::futex_wait(requests, seen);
                 }
               }},
              {"handler 1", [&] { handler(inbox, requests); }},
              {"handler 2", [&] { handler(inbox, requests); }}});
}

TEST(ModelSignalInbox, TheThreadDoesNotSleepBesideASignal) {
  model::expect_holds(model::bounded(3), [] {
    passes_on_what_comes([](SignalInbox& inbox, Atomic<std::uint32_t>& requests) {
      inbox.put(1);
      requests.fetch_add(1, seq_cst);
      sys::futex_wake(requests, 1);
    });
  });
}

TEST(ModelSignalInbox, PlantedARequestBeforeTheSignalIsFound) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    passes_on_what_comes([](SignalInbox& inbox, Atomic<std::uint32_t>& requests) {
      requests.fetch_add(1, seq_cst);
      sys::futex_wake(requests, 1);
      inbox.put(1);
    });
  });
}

}  // namespace
}  // namespace weft
