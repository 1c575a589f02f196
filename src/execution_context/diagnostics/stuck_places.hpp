// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/panic.hpp"

#include <weft/source_location.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

/// Which places of spawns were told of in the last minute: a pool that computes has stuck fibers by the
/// thousand. The last kPlacesMax places; not thread-safe. Without memory of its own, so that a child of
/// fork() finds nothing half done.
class StuckPlaces {
 public:
  static constexpr std::int64_t kTellAgainAfterNs = 60'000'000'000;
  static constexpr std::size_t kPlacesMax = 64;

  /// Whether a stuck fiber that was spawned there is to be told of. Says how many were not, if so.
  bool tell_now(const SourceLocation& spawned_at, std::int64_t now_ns) noexcept {
    const std::uint64_t key = key_of(spawned_at);
    Place& place = place_of(key);
    if (place.key == key && now_ns - place.told_ns < kTellAgainAfterNs) {
      ++place.not_told;
      return false;
    }
    if (place.key == key && place.not_told != 0) write_not_told(spawned_at, place.not_told);
    place = {.key = key, .told_ns = now_ns, .not_told = 0};
    return true;
  }

 private:
  struct Place {
    std::uint64_t key = 0;
    std::int64_t told_ns = 0;
    std::uint64_t not_told = 0;
  };

  /// By what the name says: equal names need not have one address.
  static std::uint64_t key_of(const SourceLocation& place) noexcept {
    std::uint64_t key = 0xcbf2'9ce4'8422'2325;  // FNV-1a
    for (const char* letter = place.file; *letter != 0; ++letter)
      key = (key ^ static_cast<unsigned char>(*letter)) * 0x100'0000'01b3;
    return (key ^ static_cast<std::uint64_t>(place.line)) * 0x100'0000'01b3;
  }

  /// Its own, or the one that was told of longest ago.
  Place& place_of(std::uint64_t key) noexcept {
    Place* oldest = &places_[0];
    for (Place& place : places_) {
      if (place.key == key) return place;
      if (place.told_ns < oldest->told_ns) oldest = &place;
    }
    return *oldest;
  }

  static void write_not_told(const SourceLocation& place, std::uint64_t count) noexcept {
    char digits[48];
    char* const middle = std::to_chars(digits, digits + 24, place.line).ptr;
    char* const end = std::to_chars(middle, digits + sizeof(digits), count).ptr;
    write_to_stderr({"weft: ", std::string_view(middle, end), " more fibers that were spawned at ",
                     place.file, ":", std::string_view(digits, middle), " did not suspend in time\n"});
  }

  std::array<Place, kPlacesMax> places_{};
};

}  // namespace weft
