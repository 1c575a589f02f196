// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <sys/types.h>

namespace weft::tool::compare {

/// Syscalls by their names.
using SyscallCounts = std::map<std::string, std::uint64_t>;

/// Whether strace is on PATH and may trace; if not, `reason` says why.
bool can_trace(std::string& reason);

/// What all threads of `pid` call while `work` runs. The process is slower meanwhile, and goes on as before
/// afterwards. Throws std::runtime_error if strace cannot attach.
SyscallCounts trace(pid_t pid, const std::function<void()>& work);

/// The table of `strace -c`.
SyscallCounts parse_syscalls(const std::string& table);

/// All reads of sockets together, and so on: what the columns of a report are.
struct SyscallGroups {
  std::uint64_t read = 0;      ///< recv and relatives, readv
  std::uint64_t write = 0;     ///< send and relatives, writev, and io_uring_enter, which sends several
  std::uint64_t event_fd = 0;  ///< read(2) and write(2), which weft uses on eventfds only
  std::uint64_t epoll_ctl = 0;
  std::uint64_t epoll_wait = 0;  ///< and its relatives
  std::uint64_t futex = 0;
};
SyscallGroups grouped(const SyscallCounts& counts);

}  // namespace weft::tool::compare
