// SPDX-License-Identifier: Apache-2.0
#pragma once

// A response's head, written where it is sent from, so that a small response leaves in one write.
//
// The status line is known last, header lines come first: so the buffer begins with a gap that the status
// line and the Date line fill from behind, and the headers follow it.
//
//   [ unused | status line, Date | header lines | framing, Connection, empty line | body ]
//             begin of message    kGap
//
// Thread safety: none. Only a head for which the buffer has no room allocates. What a handler may not send (a
// line break in a value, a second length) is an error of the call that tries, and leaves the response as it
// was.

#include "http/protocol/date.hpp"
#include "http/protocol/growing_buffer.hpp"
#include "http/protocol/refusal.hpp"
#include "http/protocol/short_bytes.hpp"

#include <weft/http/request_head.hpp>
#include <weft/http/status.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weft::http::protocol {

/// What of the request decides how its response is framed.
struct ResponseContext {
  Method method = Method::get;
  Version version = Version::http_1_1;
  bool keep_alive = true;
};

/// How the end of a response's body is made known.
enum class ResponseFraming : std::uint8_t {
  kNone,        ///< no body, whatever the handler writes (HEAD, 204, 205, 304)
  kFixed,       ///< Content-Length
  kChunked,     ///< HTTP/1.1, length unknown
  kUntilClose,  ///< HTTP/1.0, length unknown
};

/// A complete response: `head` has the body behind it if that fitted, else `body` is to be sent after it.
struct EncodedResponse {
  std::string_view head;
  std::string_view body;
};

class ResponseEncoder {
 public:
  /// Writes into `buffer`, which must outlive the response; kBufferSizeMin at least. A larger head, up to
  /// `head_size_max`, is written into memory of its own until the next begin().
  explicit ResponseEncoder(std::span<char> buffer, std::size_t head_size_max = 0) noexcept;

  static constexpr std::size_t kBufferSizeMin = 256;

  /// Starts the response to a request.
  void begin(const ResponseContext& context) noexcept {
    if (buffer_.grown()) [[unlikely]]
      buffer_.shrink({});
    at_ = buffer_.first() + kGap;
    length_ = 0;
    status_ = Status::ok;
    framing_ = ResponseFraming::kFixed;
    context_ = context;
    keep_alive_ = context.keep_alive;
    has_length_ = has_date_ = false;
  }

  /// A final status, 200 to 599.
  Result<void> set_status(Status status) noexcept;
  Status status() const noexcept { return status_; }

  /// Adds a header line. `Content-Length` sets the length of a streamed body or has to agree with a whole
  /// one, `Connection: close` closes after the response; `Transfer-Encoding` and other `Connection` options
  /// are refused, as the encoder alone decides them. Errc::malformed_message: the name is no token, the value
  /// has a control character, or the header is refused. Errc::message_too_large: the head would be larger
  /// than it may be, or there is no memory for it.
  Result<void> add_header(std::string_view name, std::string_view value) noexcept;
  /// Adds a whole line, with its CRLF, that the library itself wrote: not checked, not one of the special
  /// headers.
  Result<void> add_trusted_line(std::string_view line) noexcept {
    if (line.size() + kTail > free_space().size() && !make_room(line.size())) [[unlikely]]
      return Errc::message_too_large;
    at_ = copy_short(at_, line);
    return {};
  }
  /// As add_header(), in the place of all lines of that name, which stay if it fails.
  Result<void> set_header(std::string_view name, std::string_view value) noexcept;
  bool has_header(std::string_view name) const noexcept;

  /// The connection ends with this response.
  void close_connection() noexcept { keep_alive_ = false; }
  bool keep_alive() const noexcept { return keep_alive_; }

  /// The whole response at once. Errc::malformed_message: a body where the status has none, or not of the
  /// length that the handler announced.
  Result<EncodedResponse> finish(std::string_view body, std::string_view date_line) noexcept;

  /// The head of a response whose body is written piece by piece; framing() then says how.
  Result<std::string_view> start_stream(std::string_view date_line) noexcept;
  ResponseFraming framing() const noexcept { return framing_; }
  /// The length announced for a streamed body, if any.
  std::optional<std::uint64_t> length() const noexcept;

  /// What is free behind the head, for pieces of a streamed body.
  std::span<char> free_space() const noexcept {
    return {at_, static_cast<std::size_t>(buffer_.last() - at_)};
  }

 private:
  static constexpr std::size_t kGap = 96;
  /// Kept free of header lines: "Transfer-Encoding: chunked", "Connection: keep-alive" and the empty line.
  static constexpr std::size_t kTail = 64;

  [[gnu::cold]] bool make_room(std::size_t size) noexcept;
  Result<void> append_line(std::string_view name, std::string_view value) noexcept;
  Result<void> set_length(std::string_view value) noexcept;
  Result<void> set_connection(std::string_view value) noexcept;
  void remove_header(std::string_view name) noexcept;
  std::size_t size_of_lines(std::string_view name) const noexcept;
  [[gnu::cold]] void announce_no_content() noexcept;
  [[gnu::always_inline]] void put(std::string_view text) noexcept { at_ = copy_short(at_, text); }
  // In one piece where they are used: a response costs a call less for each.
  [[gnu::always_inline]] inline char* put_length(char* at, std::uint64_t length) const noexcept;
  [[gnu::always_inline]] inline char* put_connection(char* at) const noexcept;
  [[gnu::always_inline]] inline std::string_view put_front(std::string_view date_line) noexcept;

  GrowingBuffer buffer_;
  const std::size_t size_max_;
  char* at_;
  std::uint64_t length_;
  Status status_;
  ResponseFraming framing_;
  ResponseContext context_;
  bool keep_alive_;
  bool has_length_;
  bool has_date_;
};

/// A complete minimal answer to a request that was refused, with `Connection: close`; its body is the reason
/// phrase, and the reason: "Bad Request: no Host". Empty if it does not fit (512 bytes do).
std::string_view encode_error(std::span<char> buffer, const Refusal& refusal,
                              std::string_view date_line) noexcept;

/// What lets a client go on that waits with its body.
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace weft::http::protocol
