// SPDX-License-Identifier: Apache-2.0
#pragma once

// The read buffer of a connection and the request in it: where to receive, what to parse, what is left over.
//
//   [ earlier | head, pinned while its handler runs | body window or further head bytes | free ]
//             begin                                  cursor            filled            capacity
//
// A head stays where it was received, so that its views hold. Body bytes are received behind it, and again
// from the start of their window once all of them were pulled. Requests that came together (pipelining) are
// parsed where they stand; only one that is cut off by the end of the buffer is moved to the front, once, and
// parsed again. A head that the limits allow and the buffer has no room for is moved to a larger buffer, each
// twice the one before, and parsed again there.
//
// Thread safety: none. The caller receives into free_space() and says received(); it may wait between any two
// calls.

#include "http/protocol/growing_buffer.hpp"
#include "http/protocol/request_parser.hpp"

#include <cstddef>
#include <span>

namespace weft::http::protocol {

class RequestReader {
 public:
  /// The least that is left of the buffer for a body behind the largest head.
  static constexpr std::size_t kBodyWindowMin = 2048;

  /// Reads into `buffer`, which must outlive the reader, and for a larger head into memory of its own until
  /// the request is over. Limits above what can be counted are lowered to that here, for everything below.
  RequestReader(std::span<char> buffer, const Limits& limits) noexcept;

  /// Where the next bytes of the connection go; never empty while parse_head() or pull_body() needs input.
  /// Ends the life of body pieces that were pulled before.
  std::span<char> free_space() noexcept;
  void received(std::size_t size) noexcept { filled_ += size; }

  HeadStatus parse_head() noexcept {
    const HeadStatus status = parser_.parse_head(filled_);
    if (status != HeadStatus::kComplete) [[unlikely]]
      return parse_head_slow(status);
    head_end_ = buffer_.first() + (parser_.cursor() - buffer_.first());
    return status;
  }
  BodyPiece pull_body(std::size_t size_max) noexcept { return parser_.pull_body(filled_, size_max); }

  /// Bytes of a fixed body that may be read past the buffer (straight into the user's); 0 unless it is empty.
  std::uint64_t direct_size() const noexcept { return has_input() ? 0 : parser_.fixed_left(); }
  /// What is left of a fixed body, received or not; 0 for others.
  std::uint64_t fixed_left() const noexcept { return parser_.fixed_left(); }
  void received_directly(std::uint64_t size) noexcept { parser_.skip_fixed(size); }

  /// What the views of the request are in.
  std::span<const char> buffer() const noexcept { return {buffer_.first(), buffer_.size()}; }

  /// Goes on to the next request; requires finished(). False if nothing of it is here yet: the buffer may be
  /// given up.
  bool next() noexcept;

  /// Forgets everything, whatever the state: for another connection.
  void reset() noexcept;

  /// True if bytes are here that were not consumed.
  bool has_input() const noexcept { return parser_.cursor() != filled_; }
  /// True if nothing of a request has come but empty lines: the peer may leave without harm.
  bool at_boundary() const noexcept;

  bool finished() const noexcept { return parser_.finished(); }
  const RequestHead& head() const noexcept { return parser_.head(); }
  const Refusal& refusal() const noexcept { return parser_.refusal(); }

 private:
  HeadStatus parse_head_slow(HeadStatus status) noexcept;
  [[gnu::cold]] HeadStatus refused_head() noexcept;
  bool replace_tabs_of_codings() noexcept;
  bool grow() noexcept;
  void shrink() noexcept;
  void set_limits() noexcept;
  void move_to_front() noexcept;
  void rewind_body_window() noexcept;

  GrowingBuffer buffer_;
  char* begin_;                      // of the message
  char* head_end_ = nullptr;         // null until the head is complete
  char* filled_;                     // end of what was received
  const std::size_t head_size_max_;  // these two as the server wants them
  const std::size_t request_line_size_max_;
  Limits limits_;  // lowered to what the buffer has room for
  RequestParser parser_;
};

}  // namespace weft::http::protocol
