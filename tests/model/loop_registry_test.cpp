// SPDX-License-Identifier: Apache-2.0
// Names of event loops (L15): pin against retire and remove.
#include "event_loop/registration/loop_registry.hpp"

#include "model/model.hpp"

#include <memory>

namespace weft {
namespace {

using model::FailureKind;

/// A loop, as far as the registry goes: something that must not be touched after its end.
struct Loop {
  PollingEventLoop& as_loop() noexcept { return reinterpret_cast<PollingEventLoop&>(*this); }
  model::Plain<int> alive{1};
};

/// One for all executions: each leaves it as it found it, but for the generation.
LoopRegistry& registry() {
  static LoopRegistry& instance = *new LoopRegistry;
  return instance;
}

void use(LoopRegistry& loops, LoopId id) {
  PollingEventLoop* const pinned = loops.pin(id);
  if (pinned == nullptr) return;
  model::check(reinterpret_cast<Loop*>(pinned)->alive == 1, "a pinned loop is alive");
  loops.unpin(id);
}

TEST(ModelLoopRegistry, APinnedLoopIsNotTornDown) {
  LoopRegistry& loops = registry();
  model::expect_holds([&] {
    Loop loop;
    const LoopId id = loops.add(loop.as_loop());
    model::run(
        {{"mover", [&] { use(loops, id); }}, {"other mover", [&] { use(loops, id); }}, {"retirer", [&] {
                                                                                          loops.retire(id);
                                                                                          loops.remove(id);
                                                                                          loop.alive = 0;
                                                                                        }}});
  });
}

TEST(ModelLoopRegistry, AStaleNameIsNotTheNextLoopsName) {
  LoopRegistry& loops = registry();
  model::expect_holds([&] {
    Loop loop, next;
    next.alive = 2;
    const LoopId id = loops.add(loop.as_loop());
    LoopId next_id;
    model::run({{"mover", [&] { use(loops, id); }}, {"retirer", [&] {
                                                       loops.retire(id);
                                                       loops.remove(id);
                                                       loop.alive = 0;
                                                       next_id = loops.add(next.as_loop());
                                                     }}});
    loops.retire(next_id);
    loops.remove(next_id);
  });
}

/// Pin and retire with the orders of the store-buffer litmus weakened.
template <std::memory_order kOrder>
struct PlantedRegistry {
  bool pin() noexcept {
    pins.fetch_add(1, kOrder);
    if (generation.load(kOrder == seq_cst ? seq_cst : acquire) == 1) return true;
    unpin();
    return false;
  }
  void unpin() noexcept { pins.fetch_sub(1, release); }
  void retire_and_remove() noexcept {
    generation.store(2, kOrder == seq_cst ? seq_cst : release);
    while (pins.load(kOrder == seq_cst ? seq_cst : acquire) != 0) yield_cpu();
  }
  Atomic<std::uint32_t> generation{1};
  Atomic<std::uint32_t> pins{0};
};

template <std::memory_order kOrder>
void pin_against_retire() {
  PlantedRegistry<kOrder> loops;
  Loop loop;
  model::run({{"mover",
               [&] {
                 if (!loops.pin()) return;
                 model::check(loop.alive == 1, "a pinned loop is alive");
                 loops.unpin();
               }},
              {"retirer", [&] {
                 loops.retire_and_remove();
                 loop.alive = 0;
               }}});
}

TEST(ModelLoopRegistry, PlantedPinsWithoutSequentialConsistencyAreFound) {
  model::expect_holds(pin_against_retire<seq_cst>);
  model::expect_fails(FailureKind::kDataRace, pin_against_retire<acq_rel>);
}

}  // namespace
}  // namespace weft
