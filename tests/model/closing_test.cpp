// SPDX-License-Identifier: Apache-2.0
// The end of a context (docs/design/contexts.md): a fiber that is born while its context closes is cancelled,
// and nobody misses that the last fiber has ended. The steps of the first are closing_steps.hpp, which ships;
// references, counts and sums around them are those of Fiber, Scheduler and Context, retold.
//
// What was wrong: the closer had a seq_cst store and then a relaxed load, without a fence between. On x86 the
// store is one; elsewhere closer and newborn could both miss each other, and the fiber was never cancelled.
#include "execution_context/closing_steps.hpp"

#include "model/model.hpp"

namespace weft {
namespace {

using model::FailureKind;

/// A fiber that is born, and a context that closes.
template <bool kCloserHasFence>
void birth_against_close() {
  Atomic<std::uint32_t> references{0};  // of the fiber's slot
  Atomic<bool> closing{false};
  Atomic<bool> cancelled{false};
  model::name(references, "references");
  model::name(closing, "closing");
  const auto say = [&] { closing.store(true, seq_cst); };
  const auto cancel_all = [&] {
    if (references.load(relaxed) != 0) cancelled.store(true, relaxed);  // Fiber::try_reference()
  };
  const auto close = [&] {
    if (kCloserHasFence) return close_and_cancel(say, cancel_all);
    say();
    cancel_all();
  };
  model::run({{"closer", close}, {"newborn", [&] {
                                    references.store(2, release);  // Fiber::create()
                                    if (born_while_closing([&] { return closing.load(seq_cst); }))
                                      cancelled.store(true, relaxed);
                                  }}});
  model::check(cancelled.load(relaxed), "the fiber is cancelled by the closer or by itself");
}

TEST(ModelClosing, AFiberBornWhileItsContextClosesIsCancelled) {
  model::expect_holds(birth_against_close<true>);
}
TEST(ModelClosing, PlantedACloserWithoutAFenceIsFound) {
  model::expect_fails(FailureKind::kCheck, birth_against_close<false>);
}

/// Two threads end the last two fibers while the context closes. Each counts, has a full fence, and looks at
/// `closing`; whoever looks whether all have ended has a full fence before the sums.
template <bool kFences>
void last_fibers_against_close() {
  Atomic<std::uint32_t> finished[2] = {};
  Atomic<bool> closing{false};
  Atomic<bool> drained{false};
  model::name(finished, "finished");
  model::name(closing, "closing");
  const auto fence = [] {
    if (kFences) full_fence();
  };
  const auto look_whether_drained = [&] {
    fence();
    if (finished[0].load(acquire) + finished[1].load(acquire) == 2) drained.store(true, relaxed);
  };
  const auto end_fiber = [&](int index) {
    finished[index].store(1, release);
    fence();  // of must_park(), may_block()
    if (closing.load(seq_cst)) look_whether_drained();
  };
  model::run({{"one", [&] { end_fiber(0); }}, {"other", [&] { end_fiber(1); }}, {"closer", [&] {
                                                                                   closing.store(true,
                                                                                                 seq_cst);
                                                                                   look_whether_drained();
                                                                                 }}});
  model::check(drained.load(relaxed), "somebody has seen the end");
}

TEST(ModelClosing, SomebodySeesThatTheLastFiberHasEnded) {
  model::expect_holds(last_fibers_against_close<true>);
}
TEST(ModelClosing, PlantedSumsWithoutFencesAreFound) {
  model::expect_fails(FailureKind::kCheck, last_fibers_against_close<false>);
}

}  // namespace
}  // namespace weft
