// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace weft::process {

/// What a process has used, together with those of its children that it has waited for.
struct ResourceUsage {
  std::chrono::microseconds user_time{};
  std::chrono::microseconds system_time{};
};

/// How a process has ended: by itself, with an exit code, or killed by a signal. A value type.
class ExitStatus {
 public:
  /// Ended by itself, with the code 0.
  constexpr ExitStatus() noexcept = default;
  static constexpr ExitStatus of_code(int code) noexcept { return ExitStatus(code, 0, false); }
  static constexpr ExitStatus of_signal(int number, bool core_dumped = false) noexcept {
    return ExitStatus(0, number, core_dumped);
  }

  /// True if it has ended by itself, with the code 0.
  constexpr bool success() const noexcept { return code_ == 0 && signal_ == 0; }
  /// The exit code, 0 to 255; `nullopt` if a signal has killed it.
  constexpr std::optional<int> code() const noexcept {
    return signal_ == 0 ? std::optional<int>(code_) : std::nullopt;
  }
  /// The signal that has killed it; `nullopt` if it has ended by itself.
  constexpr std::optional<int> signal() const noexcept {
    return signal_ != 0 ? std::optional<int>(signal_) : std::nullopt;
  }
  /// True if the kernel has written a core file, or has handed one over.
  constexpr bool core_dumped() const noexcept { return core_dumped_; }
  const ResourceUsage& usage() const noexcept { return usage_; }

  /// "exit code 3", "killed by SIGSEGV, core dumped".
  std::string to_string() const;

  /// Whether both have ended the same way. What they have used does not count.
  friend constexpr bool operator==(const ExitStatus& a, const ExitStatus& b) noexcept {
    return a.code_ == b.code_ && a.signal_ == b.signal_ && a.core_dumped_ == b.core_dumped_;
  }

 private:
  friend class ChildCore;
  constexpr ExitStatus(int code, int number, bool core_dumped) noexcept
      : code_(code), signal_(number), core_dumped_(core_dumped) {}

  int code_ = 0;
  int signal_ = 0;
  bool core_dumped_ = false;
  ResourceUsage usage_;
};

}  // namespace weft::process
