// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/request_reader.hpp"

#include "base/panic.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace weft::http::protocol {
namespace {

/// Of a head. Memory that a peer gets before anything is known of its request has to have an end.
constexpr std::size_t kHeadSizeMax = 1024 * 1024;
/// Of an overhead, so that it can be added to.
constexpr std::size_t kOverheadMax = std::numeric_limits<std::size_t>::max() / 2;

// A limit that cannot be reached is lowered to one that can only just not be: then no sum of it wraps.
Limits saturated(Limits limits, std::size_t head_room) noexcept {
  limits.head_size_max = std::min(limits.head_size_max, head_room);
  limits.request_line_size_max = std::min(limits.request_line_size_max, limits.head_size_max);
  limits.header_count_max = std::min(limits.header_count_max, kHeaderCapacity);
  limits.chunk_overhead_max = std::min(limits.chunk_overhead_max, kOverheadMax);
  return limits;
}

}  // namespace

RequestReader::RequestReader(std::span<char> buffer, const Limits& limits) noexcept
    : buffer_(buffer),
      begin_(buffer.data()),
      filled_(buffer.data()),
      head_size_max_(std::min(limits.head_size_max, kHeadSizeMax)),
      request_line_size_max_(std::min(limits.request_line_size_max, kHeadSizeMax)),
      limits_(saturated(limits, buffer.size() > kBodyWindowMin ? buffer.size() - kBodyWindowMin : 0)) {
  WEFT_ASSERT(buffer.size() > kBodyWindowMin, "a read buffer without room for a head",
              WEFT_VALUE(buffer.size()));
  parser_.begin(begin_, limits_);
}

std::span<char> RequestReader::free_space() noexcept {
  if (head_end_ != nullptr && !has_input() && !parser_.holds_piece()) rewind_body_window();
  const char* end = head_end_ != nullptr && filled_ < head_end_ ? begin_ : buffer_.last();
  return {filled_, static_cast<std::size_t>(end - filled_)};
}

// Pre: nothing in the buffer is needed but the head. Receives behind it, or before it if there is more room:
// a pipelined request's head may end at the very end of the buffer.
void RequestReader::rewind_body_window() noexcept {
  filled_ = buffer_.last() - head_end_ >= begin_ - buffer_.first() ? head_end_ : buffer_.first();
  parser_.rebase(filled_);
}

// Not complete at the first try: there is more room at the front, perhaps.
HeadStatus RequestReader::parse_head_slow(HeadStatus status) noexcept {
  if (status == HeadStatus::kRefused) return refused_head();
  if (begin_ == buffer_.first()) return status;
  move_to_front();
  return parse_head();
}

// Once more, where that can come to another result: with a larger buffer, or in bytes that llhttp reads
// right.
HeadStatus RequestReader::refused_head() noexcept {
  const bool once_more = parser_.stopped_at_limit()
                             ? limits_.head_size_max < head_size_max_ &&
                                   parser_.cursor() == begin_ + limits_.head_size_max && grow()
                             : refusal().status == Status::bad_request && replace_tabs_of_codings();
  if (!once_more) return HeadStatus::kRefused;
  parser_.begin(begin_, limits_);
  return parse_head();
}

// False: there is no memory for a larger buffer.
bool RequestReader::grow() noexcept {
  const std::size_t size = std::min(2 * buffer_.size(), head_size_max_ + kBodyWindowMin);
  const std::size_t filled = static_cast<std::size_t>(filled_ - begin_);
  if (!buffer_.grow(size, {begin_, filled})) return false;
  begin_ = buffer_.first();
  filled_ = begin_ + filled;
  set_limits();
  return true;
}

// Goes back to the buffer that was given, if what is left of the larger one fits.
void RequestReader::shrink() noexcept {
  const std::size_t left = static_cast<std::size_t>(filled_ - begin_);
  if (left > buffer_.own_size() - kBodyWindowMin) return;
  buffer_.shrink({begin_, left});
  begin_ = buffer_.first();
  filled_ = begin_ + left;
  set_limits();
}

void RequestReader::set_limits() noexcept {
  limits_.head_size_max = std::min(head_size_max_, buffer_.size() - kBodyWindowMin);
  limits_.request_line_size_max = std::min(request_line_size_max_, limits_.head_size_max);
}

// llhttp 8.1 takes a tab behind "chunked" for a part of the coding's name. White space is white space there
// (RFC 9110, 5.6.3), so a head with tabs says the same with spaces. False: there were none.
bool RequestReader::replace_tabs_of_codings() noexcept {
  constexpr std::string_view kName = "transfer-encoding:";
  bool replaced = false;
  char* line = begin_;
  while (line != filled_) {
    char* const line_end = std::find(line, filled_, '\n');
    const std::string_view text(line, static_cast<std::size_t>(line_end - line));
    if (equals_ignoring_case(text.substr(0, kName.size()), kName)) {
      replaced = replaced || text.find('\t') != text.npos;
      std::replace(line, line_end, '\t', ' ');
    }
    if (line_end == filled_ || (text == "\r" && line != begin_)) break;
    line = line_end + 1;
  }
  return replaced;
}

// Pre: the head at begin_ is incomplete, so nothing points into it yet.
void RequestReader::move_to_front() noexcept {
  const std::size_t size = static_cast<std::size_t>(filled_ - begin_);
  std::memmove(buffer_.first(), begin_, size);
  begin_ = buffer_.first();
  filled_ = begin_ + size;
  parser_.begin(begin_, limits_);
}

bool RequestReader::next() noexcept {
  WEFT_DEBUG_ASSERT(finished(), "the next request before the end of this one");
  if (!has_input()) {
    begin_ = filled_ = buffer_.first();
  } else {
    begin_ = buffer_.first() + (parser_.cursor() - buffer_.first());
  }
  if (buffer_.grown()) [[unlikely]]
    shrink();
  head_end_ = nullptr;
  parser_.begin(begin_, limits_);
  return begin_ != filled_;
}

void RequestReader::reset() noexcept {
  begin_ = filled_ = buffer_.first();
  if (buffer_.grown()) shrink();
  head_end_ = nullptr;
  parser_.begin(begin_, limits_);
}

bool RequestReader::at_boundary() const noexcept {
  return head_end_ == nullptr && !refusal() &&
         std::all_of(begin_, filled_, [](char c) { return c == '\r' || c == '\n'; });
}

}  // namespace weft::http::protocol
