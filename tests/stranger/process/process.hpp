// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of processes share.

#include "stranger/fs/fs.hpp"

#include <weft/process/child.hpp>
#include <weft/process/command.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::process {

inline void PrintTo(const ExitStatus& status, std::ostream* out) { *out << status.to_string(); }

}  // namespace weft::process

namespace stranger {

using weft::process::Child;
using weft::process::Command;
using weft::process::ExitStatus;
using weft::process::Output;
using weft::process::ProcessGroup;
using weft::process::Stdio;

/// A script for /bin/sh.
inline Command shell(std::string script) { return Command("/bin/sh", {"-c", std::move(script)}); }

/// What the command writes to standard output.
inline std::string text_of(const Command& command) {
  const auto output = command.output();
  EXPECT_TRUE(output) << output.message();
  return output ? output->output : std::string();
}

/// Whether this process has any child, ended or not.
inline bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/// Whether there is a process with that number.
inline bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

/// Reads until `mark` has come, which it says when it is ready.
inline std::string read_until(weft::io::PipeReader& pipe, std::string_view mark) {
  std::string text;
  char byte = 0;
  while (!text.ends_with(mark)) {
    const auto read = pipe.read_some(weft::MutableBuffer(&byte, 1));
    if (!read) {
      ADD_FAILURE() << "\"" << text << "\", then " << read.message();
      break;
    }
    text += byte;
  }
  return text;
}

/// A process that ignores SIGTERM, has said so, and runs until its input ends.
inline Child stubborn() {
  Child child = shell("trap '' TERM; echo ready; cat >/dev/null")
                    .standard_input(Stdio::pipe())
                    .standard_output(Stdio::pipe())
                    .spawn()
                    .value();
  read_until(child.output(), "ready\n");
  return child;
}

/// This program once more, with the test that runs now, which finds is_copy() true.
inline std::vector<std::string> copy_of_this_test() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  return {std::filesystem::read_symlink("/proc/self/exe"),
          std::string("--gtest_filter=") + test.test_suite_name() + "." + test.name()};
}
inline Command as_copy(Command command) { return command.set_environment("WEFT_TEST_IS_COPY", "1"); }
inline bool is_copy() { return std::getenv("WEFT_TEST_IS_COPY") != nullptr; }

/// The line of /proc/PID/status, of the process itself, with that name.
inline std::string status_line(const std::string& status, std::string_view name) {
  const std::size_t begin = status.find(std::string(name) + ":\t");
  if (begin == std::string::npos) return "none";
  const std::size_t value = begin + name.size() + 2;
  return status.substr(value, status.find('\n', value) - value);
}

}  // namespace stranger
