// SPDX-License-Identifier: Apache-2.0
// Resume before saved (P3; docs/design/switch.md), two fibers and two threads crosswise. The switch is
// assembly: its steps, as src/fiber/context/README.md lists them, and those of Scheduler::switch_from() and
// resume() around it are retold here over the shipping MachineContext. tests/hazards runs the real ones.
#include "fiber/context.hpp"
#include "model/model.hpp"

#include <array>

namespace weft {
namespace {

using model::FailureKind;

struct Context {
  MachineContext machine;
  model::Plain<int> registers{0};  // what is saved on the stack; a data race if it is resumed too early
};

/// Leaves `from` for `to`, whose `saved` the caller has seen.
template <std::memory_order kSaved>
void switch_to(Context& from, Context& to) {
  from.registers = from.registers + 1;  // save, on the stack of `from`
  to.machine.saved.store(0, relaxed);
  from.machine.saved.store(1, kSaved);  // off that stack
  to.registers = to.registers + 1;      // load
}

void wait_until_saved(Context& context) {
  while (context.machine.saved.load(acquire) == 0) cpu_relax();
}

/// X runs F and goes on with G, Y runs G and goes on with F.
template <class Leave>
void crosswise(Leave leave) {
  std::array<Context, 2> fibers;
  std::array<Context, 2> roots;
  for (Context& root : roots) root.machine.saved.store(1, relaxed);
  model::name(fibers, "fibers");
  model::run({{"X", [&] { leave(fibers[0], fibers[1], roots[0]); }},
              {"Y", [&] { leave(fibers[1], fibers[0], roots[1]); }}});
  model::check(fibers[0].machine.saved.load(relaxed) == 0 && fibers[1].machine.saved.load(relaxed) == 0,
               "both run");
}

/// As the scheduler does: directly if the other one is saved, else over the root stack, which waits.
template <std::memory_order kSaved>
void leave_as_scheduler(Context& self, Context& next, Context& root) {
  if (next.machine.saved.load(acquire) != 0) return switch_to<kSaved>(self, next);
  switch_to<kSaved>(self, root);
  wait_until_saved(next);
  switch_to<kSaved>(root, next);
}

TEST(ModelSwitch, P3_TwoFibersThatChangeThreadsCrosswiseBothGoOn) {
  model::expect_holds([] { crosswise(leave_as_scheduler<release>); });
}

TEST(ModelSwitch, PlantedAWaitOnTheFibersOwnStackIsADeadlock) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    crosswise([](Context& self, Context& next, Context&) {
      wait_until_saved(next);
      switch_to<release>(self, next);
    });
  });
}

TEST(ModelSwitch, PlantedASavedFlagWithoutReleaseIsFound) {
  model::expect_fails(FailureKind::kDataRace, [] { crosswise(leave_as_scheduler<relaxed>); });
}

}  // namespace
}  // namespace weft
