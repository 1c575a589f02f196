// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of files: each way that requests may take, and how many descriptors are open.

#include "fs/ways.hpp"
#include "sys/file_ring.hpp"

#include <weft/fs/temporary.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

namespace weft::test {

struct FileWay {
  const char* name;
  fs::Ways ways;
};
inline constexpr std::array<FileWay, 4> kFileWays{{
    {"Default", {}},
    {"Ring", {.hand = fs::Ways::Hand::kRing, .at_once = false}},
    {"Pool", {.hand = fs::Ways::Hand::kPool, .at_once = false}},
    {"PoolAtOnce", {.hand = fs::Ways::Hand::kPool, .at_once = true}},
}};

/// Requests take this way while it is alive.
class ForcedWay {
 public:
  explicit ForcedWay(fs::Ways ways) : before_(fs::ways()) { fs::set_ways(ways); }
  ~ForcedWay() { fs::set_ways(before_); }
  ForcedWay(const ForcedWay&) = delete;
  ForcedWay& operator=(const ForcedWay&) = delete;

 private:
  const fs::Ways before_;
};

inline bool is_possible(const FileWay& way) {
  return way.ways.hand != fs::Ways::Hand::kRing || sys::FileRing::available();
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator numbers("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(numbers), end(numbers)));
}

inline std::string file_pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

}  // namespace weft::test
