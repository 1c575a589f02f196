// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of processes count.

#include "support/files.hpp"

#include <weft/process/command.hpp>

#include <cerrno>
#include <string>
#include <sys/wait.h>
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

/// What the library opens once is open.
inline void warm_up() { EXPECT_TRUE(Command("/bin/true").run().value().success()); }

}  // namespace weft::test
