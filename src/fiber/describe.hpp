// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/detail_names.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

/// Whether a fiber that has a name is named with its number as well.
enum class FiberNumber : bool { kWithoutName, kAlways };

/// How messages name a fiber: `"name" (128 KiB stack, spawned at file.cpp:12)`, or `#17 (...)` without a
/// name, or with both `#17 "name" (...)`. Async-signal-safe; what does not fit is cut. REQUIRES: the fiber is
/// kept by a reference.
class FiberDescription {
 public:
  explicit FiberDescription(Fiber& fiber, FiberNumber number = FiberNumber::kWithoutName) noexcept;

  std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  void add(std::string_view text) noexcept;
  void add_number(std::uint64_t number) noexcept;

  std::array<char, 256> text_;
  std::size_t size_ = 0;
};

}  // namespace weft
