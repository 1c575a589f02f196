// SPDX-License-Identifier: Apache-2.0
#include "event_loop/migration/migration_note.hpp"

#include "base/clock.hpp"
#include "base/sanitizers.hpp"
#include "event_loop/migration/migration_log.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/loop_pin.hpp"
#include "fiber/context/switch.hpp"
#include "fiber/describe.hpp"
#include "fiber/frame_walk.hpp"
#include "sys/socket.hpp"

#include <charconv>
#include <mutex>

namespace weft {
namespace {

using Step = MigrationWatch::Step;

std::uint32_t coarse_ms() noexcept { return static_cast<std::uint32_t>(coarse_now_ns() / 1'000'000); }

template <std::size_t kSizeMax>
void add_home(CutText<kSizeMax>& text, const Home* home) noexcept {
  const HomeName name = home == nullptr ? HomeName() : home->name_in_reports();
  if (name.name.empty()) return text.add("a loop that contexts share");
  text.add("\"");
  text.add(name.name);
  text.add("\"");
  if (name.thread < 0) return;
  char digits[12];
  const char* const end = std::to_chars(digits, digits + sizeof(digits), name.thread).ptr;
  text.add(" (thread ");
  text.add({digits, static_cast<std::size_t>(end - digits)});
  text.add(")");
}

/// The context of the loop that was left.
template <std::size_t kSizeMax>
void add_left(CutText<kSizeMax>& text, const Registered& from) noexcept {
  if (from.state == Ownership::kBroadcast) return text.add("every loop of a broadcast");
  // While its loop is pinned the context is there: its end waits for us.
  const LoopPin loop(from.owner);
  if (!loop) return text.add("a context that has ended");
  add_home(text, loop->home());
}

void add_fiber(MigrationStep& step, Fiber& fiber) noexcept {
  step.fiber.add(FiberDescription(fiber).view());
  step.fiber_id = fiber.id;
}

void add_frames(MigrationStep& step, Fiber& fiber, const SavedRegisters& registers) noexcept {
  step.frame_count = walk_frames(registers, reinterpret_cast<std::uintptr_t>(fiber.stack_low()),
                                 reinterpret_cast<std::uintptr_t>(fiber.stack_top()), step.frames.data(),
                                 step.frames.size());
}

/// The caller's frames.
[[gnu::noinline]] WEFT_NO_SANITIZE void add_own_frames(MigrationStep& step, Fiber& self) noexcept {
  const auto* const frame = static_cast<const std::uintptr_t*>(__builtin_frame_address(0));
  add_frames(step, self,
             {.instruction = frame[1], .stack = reinterpret_cast<std::uintptr_t>(frame), .frame = frame[0]});
}

/// Of a fiber that nobody can bring back meanwhile. Acquire: if it has left its stack, its frames are seen.
void add_parked_frames(MigrationStep& step, Fiber& fiber) noexcept {
  if (fiber.flow.machine.saved.load(acquire) == 0) return;
  add_frames(step, fiber, saved_registers(fiber.flow.machine));
}

MigrationKey key_of(const Descriptor& descriptor) noexcept {
  return {descriptor.index, descriptor.usage.generation()};
}

/// By a user of the descriptor, or in place of one that sleeps (M3).
MigrationFacts facts_of(Descriptor& descriptor, bool turns) noexcept {
  MigrationFacts facts{.turns = turns, .fd = descriptor.fd, .local = {}, .peer = {}};
  {
    const std::scoped_lock lock(descriptor.lock);
    facts.count = turns ? descriptor.migration.turns() : descriptor.migration.transfers();
    facts.within_ms = descriptor.migration.window_age_ms(coarse_ms());
    facts.transfers_in_all = descriptor.counters.transfers;
  }
  if (const auto local = sys::local_address(facts.fd)) facts.local = *local;
  if (const auto peer = sys::peer_address(facts.fd)) facts.peer = *peer;
  return facts;
}

void write_down(Descriptor& descriptor, Step what, bool turns, const MigrationStep& latest,
                const MigrationStep* other) noexcept {
  MigrationLog& log = MigrationLog::instance();
  if (what == Step::kKeep) return log.keep(key_of(descriptor), latest, coarse_now_ns());
  log.report(key_of(descriptor), facts_of(descriptor, turns), latest, other, coarse_now_ns());
}

Fiber* first_of_other_home(const FiberQueue& won, const Home* poller) noexcept {
  Fiber* found = nullptr;
  won.for_each([&](const Fiber& fiber) {
    if (found == nullptr && fiber.home != poller) found = const_cast<Fiber*>(&fiber);
  });
  return found;
}

/// A fiber of `home` that waits on the descriptor now. Its node stands in the list and we have the lock, so
/// it is alive; its wait is held, so it stays where it is (docs/design/dump.md).
bool find_waiting(Descriptor& descriptor, const Home* home, MigrationStep& step) noexcept {
  const std::scoped_lock lock(descriptor.lock);
  bool found = false;
  for (WaitList& waiters : descriptor.waiters) {
    waiters.for_each([&](WaitNode& node) {
      if (found || node.waiter->kind() != Waiter::Kind::kFiber) return;
      auto& fiber = static_cast<Fiber&>(*node.waiter);
      WaitKind kind{};
      if (fiber.home != home || !fiber.word.hold(kind)) return;
      found = true;
      add_fiber(step, fiber);
      add_parked_frames(step, fiber);
      fiber.word.let_go();
    });
  }
  return found;
}

/// Whether who is woken at home is a context's own fiber, whoever polls.
bool has_owner_locked(const Descriptor& descriptor) noexcept {
  if (descriptor.ownership == Ownership::kAwaited) return true;
  return descriptor.ownership == Ownership::kOwned && descriptor.policy != &at_open_policy();
}

}  // namespace

Step count_transfer(Descriptor& descriptor) noexcept {
  const std::uint32_t threshold = MigrationLog::instance().threshold();
  const std::uint32_t now_ms = threshold == 0 ? 0 : coarse_ms();
  const std::scoped_lock lock(descriptor.lock);
  ++descriptor.counters.transfers;
  return threshold == 0 ? Step::kNothing : descriptor.migration.transferred(now_ms, threshold);
}

void note_transfer(Descriptor& descriptor, Step what, const Registered& from, const Home* to) noexcept {
  Fiber& self = this_fiber_required("transferring a descriptor");
  MigrationStep step;
  add_left(step.from, from);
  add_home(step.to, to);
  add_fiber(step, self);
  add_own_frames(step, self);
  write_down(descriptor, what, false, step, nullptr);
}

Step count_crossing_locked(Descriptor& descriptor, const FiberQueue& won, const Home* poller) noexcept {
  const std::uint32_t threshold = MigrationLog::instance().threshold();
  if (threshold == 0) return Step::kNothing;
  const Fiber* const fiber = first_of_other_home(won, poller);
  const DescriptorCounters& counters = descriptor.counters;
  const std::uint32_t at_home =
      has_owner_locked(descriptor) ? counters.wakeups - counters.cross_context_wakeups : 0;
  if (!descriptor.migration.is_turn(fiber->home, at_home)) return Step::kNothing;
  return descriptor.migration.turned(coarse_ms(), threshold);
}

void note_crossing(Descriptor& descriptor, Step what, const FiberQueue& won, const Home* poller) noexcept {
  Fiber& fiber = *first_of_other_home(won, poller);
  MigrationStep step;
  add_home(step.from, poller);
  add_home(step.to, fiber.home);
  add_fiber(step, fiber);
  add_parked_frames(step, fiber);
  MigrationStep waiting;
  const bool both_sides = what == Step::kReport && find_waiting(descriptor, poller, waiting);
  if (both_sides) add_home(waiting.to, poller);
  write_down(descriptor, what, true, step, both_sides ? &waiting : nullptr);
}

}  // namespace weft
