// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of processes count.

#include "support/files.hpp"

#include <weft/process/command.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <utility>

namespace weft::test {

using process::Child;
using process::Command;
using process::ExitStatus;
using process::Stdio;

inline Command shell(std::string script) { return Command("/bin/sh", {"-c", std::move(script)}); }

/// Whether this process has any child, ended or not.
inline bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

/// Whether no more descriptors are open than before. A report of the monitor's opens files for a moment.
inline bool none_is_left_open(std::size_t before) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (open_descriptors() > before) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// What the library opens once is open.
inline void warm_up() { EXPECT_TRUE(Command("/bin/true").run().value().success()); }

}  // namespace weft::test
