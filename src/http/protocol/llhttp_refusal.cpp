// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/llhttp_refusal.hpp"

#include "http/protocol/characters.hpp"

#include <string_view>

namespace weft::http::protocol {
namespace {

// llhttp stops at the first byte that fits no known method: one that could stand in a method makes it an
// unknown method, any other byte no HTTP at all (a TLS hello, a stray space).
Status status_of_bad_method(const llhttp_t& llhttp) noexcept {
  const char* at = llhttp.error_pos;
  return at != nullptr && is(kTokenCharacter, *at) ? Status::not_implemented : Status::bad_request;
}

Status status_of(const llhttp_t& llhttp, std::string_view reason) noexcept {
  switch (llhttp.error) {
    case HPE_INVALID_METHOD: return status_of_bad_method(llhttp);
    case HPE_INVALID_VERSION:
      return reason == "Invalid HTTP version" ? Status::http_version_not_supported : Status::bad_request;
    case HPE_INVALID_CONTENT_LENGTH:
      return reason == "Content-Length overflow" ? Status::content_too_large : Status::bad_request;
    default: return Status::bad_request;
  }
}

}  // namespace

Refusal refusal_of(const llhttp_t& llhttp) noexcept {
  const char* reason = llhttp.reason;
  if (reason == nullptr) reason = "malformed request";
  return {status_of(llhttp, reason), reason};
}

}  // namespace weft::http::protocol
