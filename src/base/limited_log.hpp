// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace weft {

/// One place that logs, and that somebody else can reach as often as they like: a burst of lines, then one a
/// second, which says how many were left out. `constinit static`, one for each place. Any thread.
class LimitedLog {
 public:
  static constexpr std::int64_t kBurst = 10;
  static constexpr std::int64_t kIntervalNs = 1'000'000'000;

  /// As write_to_stderr(), unless it is a line too many. The pieces make one line, without its end.
  [[gnu::cold]] void write(std::initializer_list<std::string_view> pieces) noexcept;

  /// Whether a line may be written at `now_ns`: how many were left out since the last one.
  std::optional<std::uint64_t> admit(std::int64_t now_ns) noexcept;

 private:
  // A line more than the burst may be written at all times before this.
  Atomic<std::int64_t> due_ns_{0};
  Atomic<std::uint64_t> left_out_{0};
};

}  // namespace weft
