// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/chunk_guard.hpp"

#include "http/protocol/characters.hpp"

namespace weft::http::protocol {
namespace {

// Whether `next` may follow `previous` outside of data. A line starts neither folded nor without a name.
bool may_follow(char previous, char next) noexcept {
  if ((previous == '\r') != (next == '\n')) return false;
  return previous != '\n' || (!is_blank(next) && next != ':');
}

}  // namespace

Refusal ChunkGuard::framing(const char* first, const char* last) noexcept {
  for (; first != last; ++first) {
    if (!may_follow(previous_, *first)) return bad_request("a chunk or trailer line is malformed");
    previous_ = *first;
    if (++overhead_ > overhead_max_) {
      return {Status::request_header_fields_too_large,
              "chunk extensions and trailers are larger than chunk_overhead_max"};
    }
  }
  return kAccepted;
}

void ChunkGuard::data(std::size_t size) noexcept {
  previous_ = 0;
  overhead_ -= size > overhead_ / kCreditPerByte ? overhead_ : size * kCreditPerByte;
}

}  // namespace weft::http::protocol
