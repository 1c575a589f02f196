// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/refusal.hpp"

#include <cstddef>

namespace weft::http::protocol {

/// Watches the bytes of a chunked body that are not data: chunk lines, extensions, trailers.
///
/// llhttp accepts folded and nameless trailers and a bare LF as the last line's end; and it would read
/// extensions for ever. What these bytes may cost is a budget that each byte of data refills by
/// `kCreditPerByte`, so that even one-byte chunks never exhaust it. Fed byte by byte or whole, it stops at
/// the same byte.
class ChunkGuard {
 public:
  void start(std::size_t overhead_max) noexcept {
    overhead_ = 0;
    overhead_max_ = overhead_max;
    previous_ = 0;
  }

  /// How many more bytes of framing fit, one beyond included: never hand llhttp more than this at once.
  std::size_t allowance() const noexcept { return overhead_max_ - overhead_ + 1; }

  Refusal framing(const char* first, const char* last) noexcept;
  void data(std::size_t size) noexcept;

 private:
  static constexpr std::size_t kCreditPerByte = 8;

  std::size_t overhead_;
  std::size_t overhead_max_;
  char previous_;
};

}  // namespace weft::http::protocol
