// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace weft {

/// The return addresses of a thread of this process that runs on the stack [stack_low, stack_top), innermost
/// first: how many. 0 if it has left that stack, has ended, or does not answer within kBacktraceWaitNs.
///
/// The thread gets a signal (SIGURG: ignored by default, and nobody's error) whose handler copies the
/// registers and the innermost 64 KiB of the stack, and calls nothing; the caller follows the frames in that
/// copy (unwind.hpp), those of libc too. A system call that it was in may return EINTR.
/// One caller at a time: the monitor.
std::size_t backtrace_of_thread(int thread_id, std::byte* stack_low, std::byte* stack_top,
                                std::span<void*> frames) noexcept;

}  // namespace weft
