// SPDX-License-Identifier: Apache-2.0
#include <weft/join_handle.hpp>

#include "base/panic.hpp"
#include "execution_context/context.hpp"
#include "fiber/join.hpp"
#include "fiber/outcome_error.hpp"

#include <utility>

namespace weft::detail {
namespace {

StackCache* stack_cache_here() noexcept {
  Runner* const runner = this_runner();
  return runner == nullptr ? nullptr : runner->stacks;
}

void release_fiber(Fiber& fiber) noexcept { fiber.release(StackPool::process(), stack_cache_here()); }

}  // namespace

Fiber& create_fiber(Context& context, const FiberType& type, const SpawnOptions& options,
                    SourceLocation spawned_at) {
  Fiber& fiber = context.create_fiber({.name = options.name,
                                       .stack_size = options.stack_size,
                                       .spawned_at = spawned_at,
                                       .storage_size = type.size,
                                       .storage_alignment = type.alignment});
  fiber.main = type.main;
  fiber.drop = type.drop;
  return fiber;
}

void* storage_of(Fiber& fiber) noexcept { return fiber.storage; }

void start_fiber(Context& context, Fiber& fiber) noexcept { context.start(fiber); }

void abandon_fiber(Fiber& fiber) noexcept {
  fiber.drop = nullptr;  // nothing was constructed
  fiber.release(StackPool::process(), stack_cache_here());
  fiber.release(StackPool::process(), stack_cache_here());
}

void FiberHandle::report_empty(const char* what_is_wrong, SourceLocation called_at) noexcept {
  panic(called_at.file, called_at.line, what_is_wrong);
}

bool FiberHandle::done() const noexcept { return fiber_done(*fiber_); }

void FiberHandle::cancel() noexcept { fiber_->cancel(); }

void FiberHandle::detach() noexcept {
  if (!joinable()) return;
  detach_fiber(*fiber_);  // may suspend: the stack cache is looked up afterwards
  release_fiber(*std::exchange(fiber_, nullptr));
}

void FiberHandle::join_uncancellable() noexcept {
  Fiber& fiber = *fiber_;
  [[maybe_unused]] const WaitOutcome outcome =
      join_fiber(fiber, Deadline::never(), WaitWord::Cancellable::kNo, Joiners::kOne);
  require_still_of(fiber);
}

Result<void> FiberHandle::join_until(Deadline deadline) noexcept {
  Fiber& fiber = *fiber_;
  const WaitOutcome outcome = join_fiber(fiber, deadline, WaitWord::Cancellable::kYes, Joiners::kOne);
  if (outcome != WaitOutcome::kReady) return error_of_outcome(outcome);
  require_still_of(fiber);
  return {};
}

// What is only compared may be gone.
void FiberHandle::require_still_of(const Fiber& fiber) const noexcept {
  WEFT_ASSERT(fiber_ == &fiber,
              "a join handle was joined, detached or moved while a fiber waited in its join()",
              WEFT_VALUE(this));
}

void* FiberHandle::take_storage() {
  if (std::exception_ptr exception = take_fiber_exception(*fiber_)) std::rethrow_exception(exception);
  return fiber_->storage;
}

void FiberHandle::release() noexcept {
  fiber_->drop_storage();  // may suspend, as above
  release_fiber(*std::exchange(fiber_, nullptr));
}

std::uint64_t FiberHandle::id() const noexcept { return fiber_->id; }
std::string_view FiberHandle::name() const noexcept { return fiber_->name(); }

}  // namespace weft::detail
