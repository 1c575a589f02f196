// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace weft::sys {

/// The kernel's id of the calling thread. A syscall: not cached in a thread-local, which a fiber could carry
/// to another thread.
pid_t thread_id() noexcept;

/// The kernel's ids of all threads of this process.
Result<std::vector<pid_t>> process_threads();

/// The CPU time that the calling thread has used. A syscall.
std::int64_t thread_cpu_ns() noexcept;

/// Names the calling thread, as seen in /proc, ps and gdb; cut to 15 bytes.
Result<void> set_thread_name(std::string_view name) noexcept;

/// The CPUs that the calling thread may run on, in ascending order.
Result<std::vector<int>> thread_affinity();
/// Restricts the calling thread to these CPUs. EINVAL if none of them can be used.
Result<void> set_thread_affinity(std::span<const int> cpus);

/// How late a timed wait of the calling thread may end; Linux starts with 50,000 ns. 0 restores the default.
Result<void> set_timer_slack_ns(unsigned long slack_ns) noexcept;

/// Sends a signal to one thread of this process. ESRCH: it has ended.
Result<void> signal_thread(pid_t thread, int signal_number) noexcept;

}  // namespace weft::sys
