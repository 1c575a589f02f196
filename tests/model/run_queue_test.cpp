// SPDX-License-Identifier: Apache-2.0
// The ring of a scheduler (S4), with four places, so that it wraps and overflows.
#include "execution_context/scheduler/run_queue.hpp"

#include "model/bounds.hpp"
#include "model/model.hpp"
#include "model/passed_fibers.hpp"

namespace weft {
namespace {

using model::FailureKind;
using Ring = BasicRunQueue<4>;

template <class Queue>
void push(Queue& ring, PassedFibers& fibers, std::size_t index) {
  fibers.put(index);
  model::check(ring.push(fibers[index]), "there is room");
}

template <class Queue>
void drain(Queue& ring, PassedFibers& fibers) {
  while (Fiber* fiber = ring.pop()) fibers.take(fiber);
}

template <class Queue>
void steal_once(Queue& victim, PassedFibers& fibers) {
  Queue own;
  if (victim.steal_into(own) != 0) drain(own, fibers);
}

TEST(ModelRunQueue, TheOwnerAndAThiefTakeEachFiberOnce) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, [] {
    PassedFibers fibers;
    Ring ring;
    model::name(ring, "ring");
    push(ring, fibers, 0);
    push(ring, fibers, 1);
    model::run({{"owner",
                 [&] {
                   push(ring, fibers, 2);
                   drain(ring, fibers);
                 }},
                {"thief", [&] { steal_once(ring, fibers); }}});
    drain(ring, fibers);
    fibers.check_taken(3);
  });
}

TEST(ModelRunQueue, TwoThievesShareWithTheOwner) {
  model::expect_holds([] {
    PassedFibers fibers;
    Ring ring;
    model::name(ring, "ring");
    push(ring, fibers, 0);
    push(ring, fibers, 1);
    model::run({{"owner",
                 [&] {
                   if (Fiber* fiber = ring.pop()) fibers.take(fiber);
                 }},
                {"thief", [&] { steal_once(ring, fibers); }},
                {"other thief", [&] { steal_once(ring, fibers); }}});
    drain(ring, fibers);
    fibers.check_taken(2);
  });
}

// The owner reuses the slots of a full ring that a thief is copying from.
TEST(ModelRunQueue, AThiefThatIsOvertakenByTheOwnerGoingRoundTakesNothingWrong) {
  model::expect_holds(model::bounded(3), [] {
    PassedFibers fibers;
    BasicRunQueue<2> ring;
    model::name(ring, "ring");
    push(ring, fibers, 0);
    push(ring, fibers, 1);
    std::size_t pushed = 2;
    model::run({{"owner",
                 [&] {
                   for (std::size_t i = 2; i < 4; ++i) {
                     if (Fiber* fiber = ring.pop()) fibers.take(fiber);
                     fibers.put(i);
                     if (!ring.push(fibers[i])) break;
                     ++pushed;
                   }
                 }},
                {"thief", [&] {
                   BasicRunQueue<2> own;
                   if (ring.steal_into(own) != 0) drain(own, fibers);
                 }}});
    drain(ring, fibers);
    fibers.check_taken(pushed);
  });
}

TEST(ModelRunQueue, AFullRingIsShedWhileAThiefSteals) {
  model::expect_holds(model::bounded(3), [] {
    PassedFibers fibers;
    Ring ring;
    for (std::size_t i = 0; i < 4; ++i) push(ring, fibers, i);
    FiberQueue overflow;
    model::run({{"owner",
                 [&] {
                   fibers.put(4);
                   if (ring.push(fibers[4])) return;
                   ring.shed_half(overflow);
                   fibers.put(4);
                   overflow.push(fibers[4]);
                 }},
                {"thief", [&] { steal_once(ring, fibers); }}});
    drain(ring, fibers);
    while (Fiber* fiber = overflow.pop()) fibers.take(fiber);
    fibers.check_taken(5);
  });
}

/// The ring with one order weakened, or without the look at what a thief may have taken.
template <std::memory_order kPublish, bool kPopLooks>
class PlantedRing {
 public:
  bool push(Fiber& fiber) noexcept {
    const std::uint32_t tail = tail_.load(relaxed);
    if (tail - head_.load(acquire) == 4) return false;
    slots_[tail & 3].store(&fiber, relaxed);
    tail_.store(tail + 1, kPublish);
    return true;
  }
  Fiber* pop() noexcept {
    std::uint32_t head = head_.load(relaxed);
    for (;;) {
      if (head == tail_.load(relaxed)) return nullptr;
      Fiber* const fiber = slots_[head & 3].load(relaxed);
      if (!kPopLooks) {
        head_.store(head + 1, release);
        return fiber;
      }
      if (head_.compare_exchange_weak(head, head + 1, acq_rel, relaxed)) return fiber;
    }
  }
  std::uint32_t steal_into(PlantedRing& thief) noexcept {
    std::uint32_t head = head_.load(acquire);
    if (tail_.load(acquire) == head) return 0;
    Fiber* const fiber = slots_[head & 3].load(relaxed);
    if (!head_.compare_exchange_strong(head, head + 1, acq_rel, acquire)) return 0;
    return thief.push(*fiber) ? 1 : 0;
  }

 private:
  Atomic<std::uint32_t> head_{0};
  Atomic<std::uint32_t> tail_{0};
  Atomic<Fiber*> slots_[4] = {};
};

template <class Queue>
void push_against_steal() {
  PassedFibers fibers;
  Queue ring;
  model::run({{"owner",
               [&] {
                 push(ring, fibers, 0);
                 push(ring, fibers, 1);
                 drain(ring, fibers);
               }},
              {"thief", [&] { steal_once(ring, fibers); }}});
  drain(ring, fibers);
  fibers.check_taken(2);
}

TEST(ModelRunQueue, TheRingWithoutAPlantedErrorHolds) {
  model::expect_holds(push_against_steal<Ring>);
  model::expect_holds(push_against_steal<PlantedRing<release, true>>);
}
TEST(ModelRunQueue, PlantedAPushWithoutReleaseIsFound) {
  model::expect_fails(FailureKind::kDataRace, push_against_steal<PlantedRing<relaxed, true>>);
}
TEST(ModelRunQueue, PlantedAPopWithoutCompareIsFound) {
  model::expect_fails(FailureKind::kCheck, push_against_steal<PlantedRing<release, false>>);
}

}  // namespace
}  // namespace weft
