// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace weft::tool::compare {

/// How a program is started.
struct Launch {
  /// The program, with a path or looked for on PATH, and its arguments.
  std::vector<std::string> arguments;
  /// Set for it, beside what is inherited.
  std::vector<std::pair<std::string, std::string>> environment = {};
  /// The CPUs it may use; empty: as this process.
  std::vector<int> cpus = {};
};

/// A program of its own that runs from the constructor to wait() or the destructor, which kills it. It is
/// killed too when this process ends in whatever way. Errors: std::runtime_error, also if the program cannot
/// be started.
class ChildProcess {
 public:
  explicit ChildProcess(const Launch& launch);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  pid_t pid() const noexcept { return pid_; }
  /// Nothing if it has ended.
  void send_signal(int number) const noexcept;
  /// Its status as a shell has it (128 + signal), or nothing while it runs.
  std::optional<int> poll();
  /// Waits for its end: the status.
  int wait();

  /// What it has written so far.
  std::string output() const;
  std::string error_output() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  int output_ = -1;  // files in memory: a pipe that nobody reads would stop the program
  int error_output_ = -1;
};

/// Waits until `condition()` holds, looking every few milliseconds. Whether it came to hold in time.
template <class Condition>
bool wait_until(double seconds_max, Condition&& condition);

/// Sleeps, and goes on after a signal.
void sleep_seconds(double seconds);
/// Of the monotonic clock.
std::int64_t now_ns() noexcept;

template <class Condition>
bool wait_until(double seconds_max, Condition&& condition) {
  const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(seconds_max * 1e9);
  while (!condition()) {
    if (now_ns() >= end_ns) return false;
    sleep_seconds(0.002);
  }
  return true;
}

}  // namespace weft::tool::compare
