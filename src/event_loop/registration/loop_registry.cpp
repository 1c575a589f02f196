// SPDX-License-Identifier: Apache-2.0
#include "event_loop/registration/loop_registry.hpp"

#include "base/panic.hpp"
#include "event_loop/polling/polling_event_loop.hpp"

#include <mutex>
#include <new>

namespace weft {

LoopRegistry& LoopRegistry::instance() noexcept {
  // Needs neither memory nor a destructor: contexts may be static objects.
  static constinit LoopRegistry registry;
  return registry;
}

LoopId LoopRegistry::add(PollingEventLoop& loop) noexcept {
  std::scoped_lock lock(lock_);
  for (std::uint32_t index = 0; index < kLoopsMax; ++index) {
    Slot& slot = slots_[index];
    if (slot.loop.load(acquire) != nullptr) continue;
    slot.loop.store(&loop, relaxed);
    slot.born.store(false, relaxed);  // published with the generation
    const std::uint32_t generation = slot.generation.load(relaxed) + 1;
    slot.generation.store(generation, seq_cst);  // publishes the pointer to pin()
    if (index >= used_.load(relaxed)) used_.store(index + 1, release);
    return {index, generation};
  }
  return {};
}

void LoopRegistry::retire(LoopId id) noexcept {
  WEFT_ASSERT(alive(id), "event loop retired twice", WEFT_VALUE(id.index));
  slots_[id.index].generation.fetch_add(1, seq_cst);
}

void LoopRegistry::remove(LoopId id) noexcept {
  Slot& slot = slots_[id.index];
  for (SpinBackoff backoff; slot.pins.load(seq_cst) != 0;) backoff.pause();
  slot.loop.store(nullptr, release);  // the slot may be given away: pairs with the acquire in add()
}

void LoopRegistry::become_inherited() noexcept {
  new (&lock_) SpinLock();
  for (Slot& slot : slots_) {
    PollingEventLoop* const loop = slot.loop.load(acquire);
    if (loop == nullptr) continue;
    loop->become_inherited();
    const std::uint32_t generation = slot.generation.load(relaxed);
    slot.generation.store(generation + generation % 2, relaxed);
    slot.pins.store(0, relaxed);
    slot.loop.store(nullptr, relaxed);
  }
}

PollingEventLoop* LoopRegistry::pin(LoopId id) noexcept {
  if (!id) return nullptr;
  Slot& slot = slots_[id.index];
  slot.pins.fetch_add(1, seq_cst);
  if (slot.generation.load(seq_cst) == id.generation) return slot.loop.load(relaxed);
  slot.pins.fetch_sub(1, release);
  return nullptr;
}

void LoopRegistry::announce(PollingEventLoop& loop) noexcept {
  const std::scoped_lock lock(lock_);
  const std::uint64_t birth = births_.load(relaxed) + 1;
  loop.set_birth(birth);
  slots_[loop.id().index].born.store(true, release);
  births_.store(birth, release);
}

PollingEventLoop* LoopRegistry::pin_born(std::uint32_t index) noexcept {
  const std::uint32_t generation = slots_[index].generation.load(acquire);
  if (generation % 2 == 0) return nullptr;
  PollingEventLoop* const loop = pin({index, generation});
  if (loop == nullptr || slots_[index].born.load(acquire)) return loop;
  unpin({index, generation});
  return nullptr;
}

void LoopRegistry::unpin(LoopId id) noexcept { slots_[id.index].pins.fetch_sub(1, release); }

}  // namespace weft
