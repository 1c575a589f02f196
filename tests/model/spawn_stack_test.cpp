// SPDX-License-Identifier: Apache-2.0
// The stack of what a scheduler has spawned (S4), with two and four places, so that it wraps.
#include "execution_context/scheduler/spawn_stack.hpp"

#include "model/bounds.hpp"
#include "model/model.hpp"
#include "model/passed_fibers.hpp"

namespace weft {
namespace {

using model::FailureKind;

template <class Stack>
void push_spawned(Stack& stack, PassedFibers& fibers, std::size_t index) {
  fibers.put(index);
  model::check(stack.push(fibers[index]), "there is room");
}

template <class Stack>
void pop_once(Stack& stack, PassedFibers& fibers) {
  if (Fiber* fiber = stack.pop()) fibers.take(fiber);
}

template <class Stack>
void steal_spawned(Stack& stack, PassedFibers& fibers) {
  if (Fiber* fiber = stack.steal()) fibers.take(fiber);
}

template <class Stack>
void drain_spawned(Stack& stack, PassedFibers& fibers) {
  while (Fiber* fiber = stack.pop()) fibers.take(fiber);
}

/// The race for the last one, from one fiber on and from two.
template <class Stack>
void pops_against_steal() {
  PassedFibers fibers;
  Stack stack;
  model::name(stack, "stack");
  push_spawned(stack, fibers, 0);
  model::run({{"owner",
               [&] {
                 push_spawned(stack, fibers, 1);
                 pop_once(stack, fibers);
                 pop_once(stack, fibers);
               }},
              {"thief", [&] { steal_spawned(stack, fibers); }}});
  drain_spawned(stack, fibers);
  fibers.check_taken(2);
}

template <class Stack>
void spawn_against_steal() {
  PassedFibers fibers;
  Stack stack;
  model::run(
      {{"owner", [&] { push_spawned(stack, fibers, 0); }}, {"thief", [&] { steal_spawned(stack, fibers); }}});
  drain_spawned(stack, fibers);
  fibers.check_taken(1);
}

template <class Stack>
void pops_against_two_thieves() {
  PassedFibers fibers;
  Stack stack;
  model::name(stack, "stack");
  push_spawned(stack, fibers, 0);
  push_spawned(stack, fibers, 1);
  model::run({{"owner", [&] { drain_spawned(stack, fibers); }},
              {"thief", [&] { steal_spawned(stack, fibers); }},
              {"other thief", [&] { steal_spawned(stack, fibers); }}});
  drain_spawned(stack, fibers);
  fibers.check_taken(2);
}

TEST(ModelSpawnStack, OwnerAndThiefTakeEachFiberOnce) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, pops_against_steal<BasicSpawnStack<4>>);
  model::expect_holds(options, spawn_against_steal<BasicSpawnStack<4>>);
}

TEST(ModelSpawnStack, TwoThievesShareWithTheOwner) {
  model::expect_holds(model::bounded(3), pops_against_two_thieves<BasicSpawnStack<4>>);
}

// The owner fills the place of a fiber that a thief has looked at and not taken yet.
TEST(ModelSpawnStack, AThiefThatIsOvertakenByTheOwnerGoingRoundTakesNothingWrong) {
  model::expect_holds(model::bounded(3), [] {
    PassedFibers fibers;
    BasicSpawnStack<2> stack;
    model::name(stack, "stack");
    push_spawned(stack, fibers, 0);
    push_spawned(stack, fibers, 1);
    std::size_t pushed = 2;
    model::run({{"owner",
                 [&] {
                   if (Fiber* fiber = stack.steal()) fibers.take(fiber);  // as it does with the oldest
                   for (std::size_t i = 2; i < 4; ++i) {
                     fibers.put(i);
                     if (!stack.push(fibers[i])) break;
                     ++pushed;
                     pop_once(stack, fibers);
                   }
                 }},
                {"thief", [&] { steal_spawned(stack, fibers); }}});
    drain_spawned(stack, fibers);
    fibers.check_taken(pushed);
  });
}

// Who announces a sleep looks afterwards (S2): what was pushed before the fence is seen.
TEST(ModelSpawnStack, AnEmptyStackIsNotTakenForAFullOneNorTheOtherWayRound) {
  model::expect_holds([] {
    PassedFibers fibers;
    BasicSpawnStack<4> stack;
    push_spawned(stack, fibers, 0);
    bool empty = false;
    model::run({{"owner", [&] { pop_once(stack, fibers); }}, {"looker", [&] { empty = stack.empty(); }}});
    model::check(stack.empty(), "the only one was taken");
    fibers.check_taken(1);
  });
}

/// One order weakened, or the last one taken without a race.
template <std::memory_order kLowered, std::memory_order kPublish, bool kRaces>
class PlantedStack {
 public:
  bool push(Fiber& fiber) noexcept {
    const std::uint32_t bottom = bottom_.load(relaxed);
    slots_[bottom & 3].store(&fiber, relaxed);
    bottom_.store(bottom + 1, kPublish);
    return true;
  }
  Fiber* pop() noexcept {
    const std::uint32_t bottom = bottom_.load(relaxed);
    if (top_.load(relaxed) == bottom) return nullptr;
    bottom_.store(bottom - 1, kLowered);
    std::uint32_t top = top_.load(kLowered == seq_cst ? seq_cst : acquire);
    Fiber* fiber = nullptr;
    if (top != bottom) {
      fiber = slots_[(bottom - 1) & 3].load(relaxed);
      if (top != bottom - 1) return fiber;
      if (!kRaces) {
        top_.store(top + 1, seq_cst);
      } else if (!top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed)) {
        fiber = nullptr;
      }
    }
    bottom_.store(bottom, relaxed);
    return fiber;
  }
  Fiber* steal() noexcept {
    std::uint32_t top = top_.load(seq_cst);
    const std::uint32_t bottom = bottom_.load(seq_cst);
    if (static_cast<std::int32_t>(bottom - top) <= 0) return nullptr;
    Fiber* const fiber = slots_[top & 3].load(relaxed);
    return top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed) ? fiber : nullptr;
  }

 private:
  Atomic<std::uint32_t> top_{0};
  Atomic<std::uint32_t> bottom_{0};
  Atomic<Fiber*> slots_[4] = {};
};

TEST(ModelSpawnStack, TheStackWithoutAPlantedErrorHolds) {
  model::expect_holds(pops_against_steal<PlantedStack<seq_cst, release, true>>);
}
TEST(ModelSpawnStack, PlantedAPushWithoutReleaseIsFound) {
  model::expect_fails(FailureKind::kDataRace, spawn_against_steal<PlantedStack<seq_cst, relaxed, true>>);
}
TEST(ModelSpawnStack, PlantedALastOneThatIsTakenWithoutARaceIsFound) {
  model::expect_fails(FailureKind::kCheck, pops_against_steal<PlantedStack<seq_cst, release, false>>);
}
// Store buffering: the owner's look at top may come before its own bottom is seen.
TEST(ModelSpawnStack, PlantedABottomThatIsLoweredByAReleaseIsFound) {
  model::expect_fails(FailureKind::kCheck, pops_against_two_thieves<PlantedStack<release, release, true>>);
}

}  // namespace
}  // namespace weft
