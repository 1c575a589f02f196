// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a model test is written with (docs/design/model-checking.md):
//
//   TEST(ModelWaitWord, OneOfTwoWins) {
//     model::expect_holds([] {
//       WaitWord word;
//       model::name(word, "word");
//       const WaitTicket ticket = word.begin(WaitWord::Cancellable::kNo);
//       int wins = 0;
//       model::run({{"timer", [&] { wins += word.try_win(ticket, WaitOutcome::kTimedOut); }},
//                   {"poller", [&] { wins += word.try_win(ticket, WaitOutcome::kReady); }}});
//       model::check(wins == 1, "one of them wins");
//     });
//   }

#include "base/atomic.hpp"
#include "model/explorer/explore.hpp"
#include "model/explorer/plain.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#if !WEFT_MODEL
#error "a model test is compiled with tests/model/substitute before src: weft_add_model_test()"
#endif

namespace weft::model {

// -- in the body of a model ---------------------------------------------------------------------------------

/// Runs the threads in every order; returns when all have ended. In the body only, several times if need be.
inline void run(const std::vector<ThreadBody>& threads) { Execution::current().run_threads(threads); }

/// Names an object in the traces: its atomics and locks are `name`, `name+8`, ...
template <class T>
void name(const T& object, const char* name) {
  Execution::current().memory().name(&object, sizeof(T), name);
}

/// What must hold. In the body or in any thread.
inline void check(bool condition, const char* what) {
  if (!condition) Execution::current().fail(FailureKind::kCheck, what);
}

/// One of 0 to `count` - 1, each of which is explored.
inline unsigned choose(unsigned count) { return Execution::current().choose(count); }

// -- in a test ----------------------------------------------------------------------------------------------

/// The model holds in every execution that is explored, and all there are were explored.
inline void expect_holds(const Options& options, const std::function<void()>& body) {
  const Outcome outcome = explore(options, body);
  EXPECT_FALSE(outcome.failure) << outcome.report;
  if (options.random_executions == 0) {
    EXPECT_TRUE(outcome.complete || outcome.failure) << "more than " << outcome.executions << " executions";
  }
  std::printf("[  model   ] %llu executions", static_cast<unsigned long long>(outcome.executions));
  if (options.random_executions != 0)
    std::printf(" at random, WEFT_MODEL_SEED=%llu", static_cast<unsigned long long>(options.seed));
  std::printf("\n");
}
inline void expect_holds(const std::function<void()>& body) { expect_holds({}, body); }

/// Some execution fails, in this way: how a planted bug is seen to be found.
inline void expect_fails(const Options& options, FailureKind kind, const std::function<void()>& body) {
  const Outcome outcome = explore(options, body);
  EXPECT_EQ(outcome.failure.kind, kind)
      << (outcome.failure ? outcome.report
                          : "nothing found in " + std::to_string(outcome.executions) + " executions");
}
inline void expect_fails(FailureKind kind, const std::function<void()>& body) {
  expect_fails({}, kind, body);
}

}  // namespace weft::model
