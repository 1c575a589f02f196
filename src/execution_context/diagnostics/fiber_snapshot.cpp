// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/fiber_snapshot.hpp"

#include "event_loop/descriptor/descriptor_use.hpp"
#include "execution_context/context.hpp"
#include "fiber/context/switch.hpp"
#include "fiber/frame_walk.hpp"
#include "sys/address_text.hpp"
#include "sys/socket.hpp"

namespace weft {
namespace {

/// The other end of a connection. The use keeps the number from standing for another file.
void complete_descriptor(WaitDescription& description) noexcept {
  auto* const descriptor = const_cast<Descriptor*>(static_cast<const Descriptor*>(description.object));
  const DescriptorUse use(DescriptorHandle{descriptor, description.generation});
  if (!use || use->kind != DescriptorKind::kStream) return;
  const auto peer = sys::peer_address(use->fd);
  if (!peer) return;
  const sys::AddressText text(*peer);
  if (text.host()[0] == 0) return;
  description.add(" (peer ");
  description.add(text.host());
  description.add(" port ");
  description.add_number(text.port());
  description.add(")");
}

void describe_descriptor(const char* what, const void* object, WaitDescription& description) noexcept {
  const auto& descriptor = *static_cast<const Descriptor*>(object);
  description.external = true;
  description.add(what);
  if (descriptor.kind == DescriptorKind::kSimulated) return description.add("a simulated socket");
  description.add("fd ");
  description.add_number(static_cast<std::uint64_t>(descriptor.fd));
  description.object = object;
  description.generation = descriptor.usage.generation();
  description.complete = complete_descriptor;
}

/// The kinds of this layer and those below; the others have described theirs.
void describe(WaitingFor what, WaitDescription& description) noexcept {
  switch (what.kind) {
    case WaitKind::kSleep: return description.add("its time");
    case WaitKind::kRead: return describe_descriptor("reading from ", what.object, description);
    case WaitKind::kWrite: return describe_descriptor("writing to ", what.object, description);
    case WaitKind::kPeerEnd: return describe_descriptor("the end of the peer of ", what.object, description);
    case WaitKind::kClose: description.add("the last operation on a descriptor that is being closed"); return;
    case WaitKind::kJoin:
      description.fiber_id = static_cast<const Fiber*>(what.object)->id;
      description.add("the end of fiber #");
      return description.add_number(description.fiber_id);
    case WaitKind::kContextEnd:
      description.add("the end of context \"");
      description.add(static_cast<const Context*>(what.object)->name());
      return description.add("\"");
    default: describe_wait(what, description);
  }
}

}  // namespace

std::optional<HeldWait> HeldWait::hold(Waiter& waiter) noexcept {
  std::optional<HeldWait> wait;
  WaitKind kind{};
  if (!waiter.word.hold(kind)) return wait;
  wait.emplace();
  wait->kind = kind;
  wait->epoch = waiter.word.epoch();
  wait->deadline_ns = waiter.deadline_ns.load(relaxed);
  describe({kind, waiter.waits_for}, wait->what);
  return wait;
}

void HeldWait::let_go(Waiter& waiter) noexcept {
  waiter.word.let_go();
  if (what.complete != nullptr) what.complete(what);
}

void HeldWait::walk(Fiber& fiber) noexcept {
  frame_count =
      walk_frames(saved_registers(fiber.flow.machine), reinterpret_cast<std::uintptr_t>(fiber.stack_low()),
                  reinterpret_cast<std::uintptr_t>(fiber.stack_top()), frame_room.data(), frame_room.size());
}

std::optional<HeldWait> HeldWait::of(Fiber& fiber) noexcept {
  std::optional<HeldWait> wait = hold(fiber);
  if (!wait) return wait;
  // Acquire: it has left its stack. Nobody brings it back while its wait is held.
  wait->parked = fiber.flow.machine.saved.load(acquire) != 0;
  if (wait->parked) wait->walk(fiber);
  wait->let_go(fiber);
  return wait;
}

std::optional<HeldWait> HeldWait::of(ThreadWaiter& thread) noexcept {
  std::optional<HeldWait> wait = hold(thread);
  if (!wait) return wait;
  wait->parked = thread.parked();
  wait->let_go(thread);
  return wait;
}

}  // namespace weft
