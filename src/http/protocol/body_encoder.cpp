// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/body_encoder.hpp"

namespace weft::http::protocol {
namespace {

// Writes `size` in hexadecimal with its CRLF to the end of `buffer`.
std::string_view chunk_line(std::array<char, BodyEncoder::kPrefixSizeMax>& buffer,
                            std::size_t size) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  char* const end = buffer.data() + buffer.size();
  char* at = end;
  *--at = '\n';
  *--at = '\r';
  do *--at = kDigits[size % 16];
  while ((size /= 16) != 0);
  return {at, static_cast<std::size_t>(end - at)};
}

}  // namespace

BodyEncoder::BodyEncoder(ResponseFraming framing, std::optional<std::uint64_t> length) noexcept
    : framing_(framing), left_(length.value_or(0)) {}

Result<BodyFrame> BodyEncoder::frame(std::size_t size) noexcept {
  switch (framing_) {
    case ResponseFraming::kNone: return BodyFrame{{}, {}, true};
    case ResponseFraming::kUntilClose: return BodyFrame{};
    case ResponseFraming::kChunked:
      if (size == 0) return BodyFrame{};  // an empty chunk would end the body
      return BodyFrame{chunk_line(prefix_, size), "\r\n", false};
    case ResponseFraming::kFixed: break;
  }
  if (size > left_) return Errc::message_too_large;
  left_ -= size;
  return BodyFrame{};
}

Result<std::string_view> BodyEncoder::finish() const noexcept {
  if (framing_ == ResponseFraming::kChunked) return std::string_view("0\r\n\r\n");
  if (framing_ == ResponseFraming::kFixed && left_ != 0) return Errc::malformed_message;
  return std::string_view();
}

}  // namespace weft::http::protocol
