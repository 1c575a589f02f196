// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/response_encoder.hpp"

#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::http::protocol {

/// The framing around one piece of a streamed body: send `prefix`, the piece unless `drop`, then `suffix`.
struct BodyFrame {
  std::string_view prefix;
  std::string_view suffix;
  bool drop = false;
};

/// Frames a streamed response body piece by piece. Not thread-safe; its prefixes live until the next call.
class BodyEncoder {
 public:
  BodyEncoder() noexcept = default;
  BodyEncoder(ResponseFraming framing, std::optional<std::uint64_t> length) noexcept;

  /// A piece of `size` bytes. Errc::message_too_large: more than the announced length.
  Result<BodyFrame> frame(std::size_t size) noexcept;
  /// What ends the body. Errc::malformed_message: less was written than announced; only closing the
  /// connection tells the client so.
  Result<std::string_view> finish() const noexcept;

  /// Of a chunk's prefix: 16 digits and CRLF.
  static constexpr std::size_t kPrefixSizeMax = 18;

 private:
  ResponseFraming framing_ = ResponseFraming::kNone;
  std::uint64_t left_ = 0;
  std::array<char, kPrefixSizeMax> prefix_;
};

}  // namespace weft::http::protocol
