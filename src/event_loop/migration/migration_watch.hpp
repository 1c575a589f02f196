// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often one descriptor was transferred, or was waited on from another context, within a second
// (docs/design/migration-diagnostics.md). Lives in the descriptor's record and is guarded by its lock; only
// paths that are slow anyway come here (M1).

#include <cstdint>

namespace weft {

class MigrationWatch {
 public:
  static constexpr std::uint32_t kWindowMs = 1000;
  static constexpr std::uint32_t kThresholdMax = 0xffff;

  enum class Step : std::uint8_t {
    kNothing,
    kKeep,    ///< the last before the threshold: to be written down
    kReport,  ///< the threshold, once in the life of a file
  };

  /// It was transferred. REQUIRES: 0 < threshold <= kThresholdMax.
  Step transferred(std::uint32_t now_ms, std::uint32_t threshold) noexcept {
    return count(transfers_, now_ms, threshold);
  }
  /// It made a turn, see is_turn().
  Step turned(std::uint32_t now_ms, std::uint32_t threshold) noexcept {
    return count(turns_, now_ms, threshold);
  }

  /// An event woke a fiber of `home`, across contexts, after `woken_at_home` others that were at home with
  /// the owner; without an owner that is one context's, always 0. Whether another context was woken before.
  bool is_turn(const void* home, std::uint32_t woken_at_home) noexcept {
    // What is left of a pointer to an object of several lines. If two contexts look the same, a turn is lost.
    const auto name = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(home) >> 6);
    const auto at_home = static_cast<std::uint16_t>(woken_at_home);  // compared for equality only
    const bool turn = home_ != 0 && (home_ != name || woken_at_home_ != at_home);
    home_ = name;
    woken_at_home_ = at_home;
    return turn;
  }

  std::uint32_t transfers() const noexcept { return transfers_; }
  std::uint32_t turns() const noexcept { return turns_; }
  /// How long the second that is counted lasts already.
  std::uint32_t window_age_ms(std::uint32_t now_ms) const noexcept { return now_ms - window_start_ms_; }

 private:
  Step count(std::uint16_t& events, std::uint32_t now_ms, std::uint32_t threshold) noexcept {
    if (reported_) return Step::kNothing;
    const bool first = transfers_ == 0 && turns_ == 0;
    if (first || now_ms - window_start_ms_ >= kWindowMs) {  // right when it wraps, after 49 days, too
      window_start_ms_ = now_ms;
      transfers_ = turns_ = 0;
    }
    ++events;  // below the threshold: it does not wrap
    if (events >= threshold) {
      reported_ = true;
      return Step::kReport;
    }
    return events + 1u == threshold ? Step::kKeep : Step::kNothing;
  }

  std::uint32_t window_start_ms_ = 0;
  std::uint32_t home_ = 0;  ///< who was woken across last; 0: nobody yet
  std::uint16_t transfers_ = 0;
  std::uint16_t turns_ = 0;
  std::uint16_t woken_at_home_ = 0;
  bool reported_ = false;
};

static_assert(sizeof(MigrationWatch) <= 16, "it stands in every descriptor's record");

}  // namespace weft
