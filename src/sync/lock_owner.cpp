// SPDX-License-Identifier: Apache-2.0
#include <weft/detail/lock_owner.hpp>

#if WEFT_CHECK_LOCKS

#include "base/panic.hpp"
#include "fiber/fiber.hpp"

#include <string_view>

namespace weft::detail {
namespace {

constexpr std::uint64_t kThreadBit = std::uint64_t{1} << 63;

/// Never 0. A fiber's number is unique in the process; a thread's mark is while it lives.
std::uint64_t caller() noexcept {
  const Fiber* const fiber = this_fiber_or_null();
  if (fiber != nullptr) return fiber->id;
  return kThreadBit | reinterpret_cast<std::uintptr_t>(&Waiter::current());
}

/// `BUG: <what>`, preceded by who it was.
[[noreturn]] void report(const char* what, std::uint64_t owner) noexcept {
  const Fiber* const fiber = this_fiber_or_null();
  if (fiber == nullptr) {
    write_to_stderr({"weft: on a plain thread:\n"});
  } else if (!fiber->name().empty()) {
    write_to_stderr({"weft: in the fiber \"", fiber->name(), "\":\n"});
  }
  if ((owner & kThreadBit) != 0)
    WEFT_PANIC(what, {"fiber", fiber == nullptr ? 0 : fiber->id}, {"owner_thread", owner});
  WEFT_PANIC(what, {"fiber", fiber == nullptr ? 0 : fiber->id}, {"owner_fiber", owner});
}

}  // namespace

LockOwner::~LockOwner() {
  const std::uint64_t owner = owner_.load(relaxed);
  if (owner != 0) report("a mutex is destroyed while it is locked", owner);
}

// Relaxed throughout: only the owner's own store can equal the caller; and before_unlock() of the owner comes
// after its locked().
void LockOwner::before_lock() const noexcept {
  const std::uint64_t owner = owner_.load(relaxed);
  if (owner == caller()) report("self-deadlock: the owner of a mutex locks it again", owner);
}

void LockOwner::locked() noexcept { owner_.store(caller(), relaxed); }

void LockOwner::before_unlock() noexcept {
  const std::uint64_t owner = owner_.load(relaxed);
  if (owner == 0) report("unlock() of a mutex that is not locked", owner);
  if (owner != caller()) report("unlock() of a mutex by somebody who does not hold it", owner);
  owner_.store(0, relaxed);
}

}  // namespace weft::detail

#endif
