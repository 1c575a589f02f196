// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace weft::tool::compare {

/// What the kernel counts for a process, all its threads together. 0 if it is gone.

/// CPU time, user and system.
std::int64_t cpu_ns_of(pid_t pid) noexcept;
/// Calls of write(2) and its relatives on files, sockets included; send(2) is not among them.
std::uint64_t writes_of(pid_t pid);
/// Bytes in memory.
std::uint64_t resident_bytes_of(pid_t pid);
/// Whether every thread of it is being traced.
bool all_traced(pid_t pid);

}  // namespace weft::tool::compare
