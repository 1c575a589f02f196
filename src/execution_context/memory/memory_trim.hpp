// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the memory of stacks that nobody needs goes back to the kernel (docs/design/stacks.md, "Trimming").
//
// While fibers run: what was free for a whole period. When nothing runs any more: all of it, also what
// threads keep for themselves. They are woken for that, once, and at most once in a period (L13). In
// portions: the monitor has other things to do.
//
// Thread safety: the monitor's own.

#include <cstdint>
#include <limits>

namespace weft {

class MemoryTrim {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t kPeriodNs = 1'000'000'000;
  // Of the monitor's time between two looks.
  static constexpr std::int64_t kPortionNs = 2'000'000;
  static constexpr std::int64_t kIdlePortionNs = 10'000'000;

  /// At each look while something runs; `fibers_ran`: since the look before.
  void look(std::int64_t now_ns, bool fibers_ran) noexcept;
  /// At each look while nothing runs. When to call this again though nothing will have run.
  std::int64_t look_idle(std::int64_t now_ns) noexcept;
  /// Threads were woken, and run no fibers.
  bool woke_threads() const noexcept { return stage_ == Stage::kAsked; }

 private:
  static bool give_portion(std::int64_t until_ns) noexcept;

  enum class Stage : std::uint8_t {
    kWaiting,  ///< for the end of the period, or for fibers to run
    kAsked,    ///< threads are to leave their free stacks to the pool
    kGiving,   ///< portions go
  };
  /// A thread that has not come by then may have ended, or waits for a CPU.
  static constexpr int kAskedLooksMax = 100;

  std::int64_t period_since_ns_ = 0;
  std::int64_t all_given_ns_ = -kPeriodNs;
  std::uint64_t finished_when_given_ = 0;  // fibers of the process
  int asked_looks_ = 0;
  bool more_ = false;  // is to go
  Stage stage_ = Stage::kWaiting;
};

}  // namespace weft
