// SPDX-License-Identifier: Apache-2.0
#include "execution_context/own_backtrace.hpp"

#include "base/panic.hpp"
#include "execution_context/symbol.hpp"
#include "fiber/fiber.hpp"
#include "fiber/frame_walk.hpp"

#include <array>
#include <new>
#include <pthread.h>

namespace weft {
namespace {

/// The end of the stack in use; 0 if nobody knows it.
std::uintptr_t stack_end() noexcept {
  if (Fiber* const fiber = this_fiber_or_null()) return reinterpret_cast<std::uintptr_t>(fiber->stack_top());
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<std::uintptr_t>(low) + size;
}

}  // namespace

[[gnu::noinline]] void write_own_backtrace() noexcept {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  std::array<void*, 32> found;
  const SavedRegisters here{reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)), frame, frame};
  const std::size_t count = walk_frames(here, frame, stack_end(), found.data(), found.size());
  if (count < 2) return;
  // Without the first, which the walk finds again: the caller's.
  try {
    for (const std::string& line :
         describe_backtrace(std::span(found).subspan(1, count - 1), InnermostFrame::kReturnAddress))
      write_to_stderr({"weft:     ", line, "\n"});
  } catch (const std::bad_alloc&) {
    write_to_stderr({"weft:     (no memory for a backtrace)\n"});
  }
}

}  // namespace weft
