// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/short_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

/// The last Host that was found valid: most requests name the same one, and equal bytes need no second look.
/// It only saves work: whoever asks about a Host that is not remembered checks it.
class HostMemory {
 public:
  /// True if `host` was remembered last. The empty one always is, and is valid.
  bool knows(std::string_view host) const noexcept {
    return host.size() == size_ && equal_short(host.data(), text_.data(), size_);
  }

  /// REQUIRES: `host` is valid. One that is too long is not remembered.
  void remember(std::string_view host) noexcept {
    if (host.size() > text_.size()) return;
    copy_short(text_.data(), host);
    size_ = host.size();
  }

 private:
  std::size_t size_ = 0;
  std::array<char, 64> text_;
};

}  // namespace weft::http::protocol
