// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>

namespace weft {

/// There is no stack for another fiber; says which limit was met.
class StackShortage final : public std::bad_alloc {
 public:
  StackShortage() noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  const char* text_;  ///< lives as long as the process
};

}  // namespace weft
