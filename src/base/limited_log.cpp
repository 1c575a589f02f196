// SPDX-License-Identifier: Apache-2.0
#include "base/limited_log.hpp"

#include "base/clock.hpp"
#include "base/panic.hpp"

#include <algorithm>
#include <charconv>

namespace weft {

// Each line moves `due_ns_` one interval on, from now if it is past: it is ahead of now by the lines that
// were written too early.
std::optional<std::uint64_t> LimitedLog::admit(std::int64_t now_ns) noexcept {
  std::int64_t due = due_ns_.load(relaxed);
  do {
    if (due - now_ns > (kBurst - 1) * kIntervalNs) {
      left_out_.fetch_add(1, relaxed);
      return std::nullopt;
    }
  } while (!due_ns_.compare_exchange_weak(due, std::max(due, now_ns) + kIntervalNs, relaxed, relaxed));
  return left_out_.exchange(0, relaxed);
}

void LimitedLog::write(std::initializer_list<std::string_view> pieces) noexcept {
  const std::optional<std::uint64_t> left_out = admit(monotonic_ns());
  if (!left_out) return;
  if (*left_out == 0) return write_line_to_stderr(pieces, "\n");
  constexpr std::string_view kBefore = " (before it, not shown: ";
  char end[kBefore.size() + 22];
  char* at = end + kBefore.copy(end, kBefore.size());
  at = std::to_chars(at, end + sizeof(end) - 2, *left_out).ptr;
  *at++ = ')';
  *at++ = '\n';
  write_line_to_stderr(pieces, {end, static_cast<std::size_t>(at - end)});
}

}  // namespace weft
