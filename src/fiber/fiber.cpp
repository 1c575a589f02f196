// SPDX-License-Identifier: Apache-2.0
#include "fiber/fiber.hpp"

#include "base/sanitizers.hpp"
#include "fiber/join.hpp"
#include "fiber/unguarded.hpp"
#include "fiber/valgrind.hpp"

#include <cstring>
#include <cxxabi.h>
#include <new>
#include <utility>

namespace weft {
namespace {

/// Parked, a fiber keeps the page with its header, control block, closure and frames.
static_assert(sizeof(Fiber) + sizeof(StackSlot) <= 384 || WEFT_ASAN || WEFT_TSAN,
              "the control block grew: a suspended fiber's frames share a page with it");

constexpr std::uintptr_t align_down(std::uintptr_t address, std::size_t alignment) noexcept {
  return address & ~(std::uintptr_t{alignment} - 1);
}

void run_main(Fiber& fiber) noexcept {
  fiber.started = true;
  try {
    fiber.main(fiber.storage);
    fiber.main_returned = true;
  } catch (...) {  // the one place where a user's exception leaves a fiber
    // Forced unwinding has no type. Nobody may stop it, and there is nowhere to go: the stack ends here.
    WEFT_ASSERT(abi::__cxa_current_exception_type() != nullptr,
                "pthread_exit() or pthread_cancel() ends a thread that runs fibers", WEFT_VALUE(fiber.id));
    fiber.exception = std::current_exception();
  }
}

/// The outermost function of every fiber.
void fiber_entry(void* argument) noexcept {
  Fiber& fiber = *static_cast<Fiber*>(argument);
  flow_started(fiber.flow);
  this_runner()->entered();
  run_main(fiber);
  // A result that nobody can receive is destroyed here, by the fiber itself: its destructor may suspend (a
  // socket that closes), which nobody could do for it after the last switch away.
  if (complete_fiber(fiber)) fiber.drop_storage();
  if (fiber.uses_timer) this_runner()->disarm_timer(fiber);
  this_runner()->finish();
}

StackSlot* take_slot(StackPool& pool, StackCache* cache, std::size_t stack_size) noexcept {
  const int size_class = StackSizeClass::of_size(stack_size);
  if (size_class < 0) return nullptr;
  return cache != nullptr ? cache->take(size_class) : pool.take(size_class);
}

/// What the slot must hold. A closure that would leave no stack beside it gets a larger one.
std::size_t slot_size(const FiberOptions& options) noexcept {
  const std::size_t asked = options.stack_size == 0 ? kDefaultStackSize : options.stack_size;
  const std::size_t needed =
      options.storage_size + options.storage_alignment + sizeof(Fiber) + sizeof(StackSlot) + kStackSizeMin;
  return asked < needed ? needed : asked;
}

}  // namespace

Fiber* Fiber::create(StackPool& pool, StackCache* cache, const FiberOptions& options) noexcept {
  StackSlot* const slot = take_slot(pool, cache, slot_size(options));
  if (slot == nullptr) [[unlikely]]
    return nullptr;
  Fiber& fiber = slot->constructed ? in_slot(*slot) : construct(*slot);
  fiber.id = cache != nullptr ? cache->next_fiber_id() : take_fiber_ids(1);
  fiber.initialize(options);
  // Release: whoever gets in by try_reference() sees the fields above.
  slot->references.store(2, weft::release);
  return &fiber;
}

[[gnu::noinline]] Fiber& Fiber::construct(StackSlot& slot) noexcept {
  slot.constructed = true;
  slot.valgrind_number = register_stack_with_valgrind(slot.slab->low(slot), slot.high());
  return *new (&in_slot(slot)) Fiber();
}

void Fiber::initialize(const FiberOptions& options) noexcept {
  if (home != options.home) [[unlikely]] {  // mostly that of the slot's last fiber
    home = options.home;
    slot().slab->mark(slot(), home);
  }
  spawned_at = options.spawned_at;
  set_name(options.name);
  const auto place = reinterpret_cast<std::uintptr_t>(this) - options.storage_size;
  storage = reinterpret_cast<void*>(align_down(place, options.storage_alignment));
  open_stack_memory(stack_low(), reinterpret_cast<std::byte*>(this));
  prepare_flow(flow, stack_low(), stack_top(), fiber_entry, this);
}

void Fiber::set_name(std::string_view name) noexcept {
  name_size_ = static_cast<std::uint8_t>(name.size() < kNameSizeMax ? name.size() : kNameSizeMax);
  if (name_size_ != 0) std::memcpy(name_, name.data(), name_size_);
}

std::byte* Fiber::stack_low() noexcept {
  StackSlot& own = slot();
  return own.slab->low(own);
}

std::byte* Fiber::stack_top() noexcept {
  return reinterpret_cast<std::byte*>(align_down(reinterpret_cast<std::uintptr_t>(storage), 16));
}

void Fiber::reference() noexcept {
  slot().references.fetch_add(1, relaxed);  // relaxed: the caller's own reference orders it
}

bool Fiber::try_reference() noexcept {
  Atomic<std::uint32_t>& references = slot().references;
  std::uint32_t count = references.load(relaxed);
  while (count != 0) {
    // Acquire: pairs with the release in create().
    if (references.compare_exchange_weak(count, count + 1, acquire, relaxed)) return true;
  }
  return false;
}

void Fiber::release(StackPool& pool, StackCache* cache) noexcept {
  Atomic<std::uint32_t>& references = slot().references;
  // At 0 nobody gets in by try_reference() any more, and nobody takes the slot before it is given back below.
  // Release: what this thread did to the fiber; acquire: what the others did.
  if (references.fetch_sub(1, acq_rel) != 1) return;
  drop_storage();
  if (slot().unguarded) [[unlikely]]
    check_for_overflow(*this);
  reset();
  forget_flow(flow);
  close_stack_memory(stack_low(), reinterpret_cast<std::byte*>(this));
  cache != nullptr ? cache->give(slot()) : pool.give(slot());
}

void Fiber::drop_storage() noexcept {
  const FiberDrop drop_once = std::exchange(drop, nullptr);
  if (drop_once != nullptr && (!started || main_returned)) drop_once(storage);
}

void Fiber::reset() noexcept {
  WEFT_ASSERT(armed_at_ns.load(relaxed) == kNoDeadline, "a fiber was freed while its timer was armed",
              WEFT_VALUE(id));
  if (exception != nullptr) exception = nullptr;
  drop = nullptr;
  done = started = main_returned = detached = uses_timer = false;
  long_runs.store(0, relaxed);
  scope.store(nullptr, relaxed);
  bindings = nullptr;
  word.reset();
}

void Fiber::cancel() noexcept {
  if (word.request_cancel()) wake();
}

}  // namespace weft
