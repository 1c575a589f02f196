// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is written down about a descriptor that is transferred to and fro: plain memory of a fixed size.

#include "event_loop/descriptor/descriptor.hpp"
#include "sys/raw_address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weft {

/// A text that is cut when it is too long.
template <std::size_t kSizeMax>
class CutText {
 public:
  void add(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), kSizeMax - size_);
    std::memcpy(text_.data() + size_, text.data(), size);
    size_ += size;
  }
  std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, kSizeMax> text_;
  std::size_t size_ = 0;
};

/// One transfer, or one wake-up across contexts; or, without `from`, a fiber that waits.
struct MigrationStep {
  static constexpr std::size_t kFramesMax = 24;

  CutText<64> from;
  CutText<64> to;
  CutText<128> fiber;
  std::uint64_t fiber_id = 0;
  std::array<void*, kFramesMax> frames;
  std::size_t frame_count = 0;
};

/// Which file (M5): its record's index, and the generation.
struct MigrationKey {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const MigrationKey&, const MigrationKey&) noexcept = default;
};

/// What is known of the file when it is reported.
struct MigrationFacts {
  bool turns = false;  ///< turns were counted, not transfers
  int fd = -1;
  std::uint32_t count = 0;
  std::uint32_t within_ms = 0;
  std::uint32_t transfers_in_all = 0;
  sys::RawAddress local;
  sys::RawAddress peer;
};

/// The step before the threshold, which may come or not.
struct KeptMigrationStep {
  MigrationKey key;
  std::uint64_t order = 0;  ///< 0: nobody's
  std::int64_t kept_ns = 0;
  MigrationStep step;
};

/// A report.
struct MigrationEntry {
  enum class State : std::uint8_t { kFree, kPending, kTold };

  State state = State::kFree;
  MigrationKey key;
  std::uint64_t number = 0;  ///< in the order of reports
  MigrationFacts facts;
  std::uint64_t suppressed = 0;
  std::array<MigrationStep, 2> steps;  ///< the latest first
  std::size_t step_count = 0;
};

}  // namespace weft
