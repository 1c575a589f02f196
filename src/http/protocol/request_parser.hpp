// SPDX-License-Identifier: Apache-2.0
#pragma once

// One request at a time, from bytes in place to a checked head and spans of body.
//
// Thread safety: none; one connection owns it.
// Assumptions: the bytes of a head stay where they are, each feed right behind the one before, until the next
//   begin(); body bytes may be given anywhere (rebase). Nothing is copied and nothing allocated.
// Guarantees: the outcome depends only on the bytes, never on how they were cut into feeds (law H3). A byte
// behind the
//   message is never looked at (H4). After a refusal every call refuses.

#include "http/protocol/chunk_guard.hpp"
#include "http/protocol/llhttp.hpp"
#include "http/protocol/plain_head.hpp"
#include "http/protocol/refusal.hpp"

#include <weft/http/limits.hpp>
#include <weft/http/request_head.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

/// The room for header lines; `Limits::header_count_max` cannot be above.
inline constexpr std::size_t kHeaderCapacity = 128;

enum class HeadStatus : std::uint8_t { kNeedInput, kComplete, kRefused };

enum class BodyStatus : std::uint8_t { kData, kNeedInput, kEnd, kRefused };

struct BodyPiece {
  BodyStatus status;
  std::string_view data;  ///< not empty if `status` is `data`; in the buffer that was fed
};

class RequestParser {
 public:
  RequestParser() noexcept {}  // NOLINT: begin() initializes what a request needs; the header table stays raw
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Makes ready for a request whose first byte will be at `first`. `limits` must outlive the request, and
  /// be small enough to be added to (RequestReader sees to it).
  void begin(const char* first, const Limits& limits) noexcept;

  /// Goes on with the head; [cursor(), end) are the bytes received and not parsed yet.
  HeadStatus parse_head(const char* end) noexcept;

  /// The next piece of the body, at most `size_max` bytes; requires a complete head. Consumes no more than it
  /// yields (and the framing around it).
  BodyPiece pull_body(const char* end, std::size_t size_max) noexcept;

  /// Body bytes go on at `at`; requires that all earlier ones were consumed.
  void rebase(const char* at) noexcept { cursor_ = at; }

  /// Takes `size` bytes of a fixed body as read without passing through the buffer.
  void skip_fixed(std::uint64_t size) noexcept {
    left_ -= size;
    if (left_ == 0) phase_ = Phase::kFinished;
  }
  /// What is left of a fixed body; 0 for others.
  std::uint64_t fixed_left() const noexcept { return phase_ == Phase::kFixed ? left_ : 0; }

  /// True if data was found that pull_body() has not yielded yet: its bytes must stay.
  bool holds_piece() const noexcept { return phase_ == Phase::kChunked && !piece_.empty(); }

  /// The first byte not consumed yet.
  const char* cursor() const noexcept { return cursor_; }
  /// Valid once the head is complete, until begin().
  const RequestHead& head() const noexcept { return head_; }
  /// The message, body included, has been consumed.
  bool finished() const noexcept { return phase_ == Phase::kFinished; }
  /// Refused, as the input went on where the limits on sizes end.
  bool stopped_at_limit() const noexcept { return refusal_ && cursor_ == stop_; }
  /// Not null after a refusal.
  const Refusal& refusal() const noexcept { return refusal_; }

  struct Events;

 private:
  // Fresh: nothing was looked at, and what is only llhttp's is not set. Head: llhttp runs over the head.
  // Fixed: `left_` bytes are to come. Chunked: llhttp runs over the body.
  enum class Phase : std::uint8_t { kFresh, kHead, kFixed, kChunked, kFinished, kRefused };

  // Before the first byte. Copied: llhttp__internal_init() clears by a slow string instruction.
  static const llhttp_t kFresh;
  static RequestParser& of(llhttp_t* llhttp) noexcept { return *static_cast<RequestParser*>(llhttp->data); }

  // What llhttp finds (llhttp_events.cpp): 0 goes on, HPE_PAUSED returns from execute(), HPE_USER refuses.
  int on_url(const char* at, std::size_t size) noexcept;
  int on_url_complete() noexcept;
  int on_header_field(const char* at, std::size_t size) noexcept;
  int on_header_value(const char* at, std::size_t size) noexcept;
  int on_chunk_header() noexcept;
  int on_body(const char* at, std::size_t size) noexcept;
  int on_message_complete() noexcept;

  [[gnu::noinline]] HeadStatus parse_with_llhttp(const char* end) noexcept;
  llhttp_errno_t execute(const char* end) noexcept;
  [[gnu::cold]] HeadStatus parse_registered_method(const char* end) noexcept;
  void start_llhttp() noexcept;
  void renew_llhttp() noexcept;
  Refusal complete_head() noexcept;
  [[gnu::cold]] Refusal over_head_limit() const noexcept;
  BodyPiece pull_fixed(const char* end, std::size_t size_max) noexcept;
  BodyPiece pull_chunked(const char* end, std::size_t size_max) noexcept;
  bool run_chunked(const char* end) noexcept;
  BodyPiece yield_piece(std::size_t size_max) noexcept;
  [[gnu::cold]] int refuse_in_callback(Refusal refusal) noexcept;
  void refuse(Refusal refusal) noexcept;

  const char* begin_;
  const char* cursor_;
  const Limits* limits_;
  Phase phase_;
  std::uint8_t
      beyond_get_;  // what a registered method's number is above that of GET, which llhttp saw; else 0
  Refusal refusal_;
  RequestHead head_;
  HeadMemory memory_;  // from request to request

  llhttp_t llhttp_;
  const char* stop_;  // no further in the head before the target is complete (then: before the head is)
  const char* head_stop_;
  Header* header_;          // behind the last one
  Header* header_stop_;     // header_ is at most one beyond
  std::uint64_t left_;      // fixed: bytes to come; chunked: bytes that the limit still allows
  std::string_view piece_;  // chunked: data found and not yielded yet
  const char* framing_;     // chunked: the first byte that the guard has not seen
  ChunkGuard guard_;

  std::array<Header, kHeaderCapacity + 1> headers_;
};

}  // namespace weft::http::protocol
