// SPDX-License-Identifier: Apache-2.0
#include "syscall_trace.hpp"

#include "child_process.hpp"
#include "process_figures.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <initializer_list>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace weft::tool::compare {
namespace {

constexpr double kAttachSecondsMax = 10;

std::uint64_t sum(const SyscallCounts& counts, std::initializer_list<const char*> names) {
  std::uint64_t total = 0;
  for (const char* const name : names) {
    const auto found = counts.find(name);
    if (found != counts.end()) total += found->second;
  }
  return total;
}

bool is_number(const std::string& word) {
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); });
}

}  // namespace

bool can_trace(std::string& reason) {
  try {
    ChildProcess probe({{"strace", "-c", "-q", "-o", "/dev/null", "true"}});
    if (probe.wait() == 0) return true;
    reason = "strace may not trace here: " + probe.error_output();
  } catch (const std::runtime_error&) {
    reason = "strace is not on PATH; Debian has it: apt-get install strace";
  }
  return false;
}

SyscallCounts trace(pid_t pid, const std::function<void()>& work) {
  ChildProcess strace({{"strace", "-f", "-c", "-q", "-p", std::to_string(pid)}});
  wait_until(kAttachSecondsMax, [&] { return all_traced(pid) || strace.poll(); });
  if (strace.poll() || !all_traced(pid))
    throw std::runtime_error("strace cannot attach: " + strace.error_output());
  work();
  strace.send_signal(SIGINT);
  if (!wait_until(kAttachSecondsMax, [&] { return strace.poll().has_value(); }))
    throw std::runtime_error("strace does not stop");
  return parse_syscalls(strace.error_output());
}

// Lines of: % time, seconds, usecs/call, calls, errors (often left out), name.
SyscallCounts parse_syscalls(const std::string& table) {
  SyscallCounts counts;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    const std::vector<std::string> cells{std::istream_iterator<std::string>(words), {}};
    if (cells.size() >= 5 && is_number(cells[3]) && cells.back() != "total")
      counts[cells.back()] += std::stoull(cells[3]);
  }
  return counts;
}

SyscallGroups grouped(const SyscallCounts& counts) {
  return {.read = sum(counts, {"recvfrom", "recvmsg", "recvmmsg", "readv"}),
          .write = sum(counts, {"sendto", "sendmsg", "sendmmsg", "writev", "io_uring_enter"}),
          .event_fd = sum(counts, {"read", "write"}),
          .epoll_ctl = sum(counts, {"epoll_ctl"}),
          .epoll_wait = sum(counts, {"epoll_wait", "epoll_pwait", "epoll_pwait2"}),
          .futex = sum(counts, {"futex"})};
}

}  // namespace weft::tool::compare
