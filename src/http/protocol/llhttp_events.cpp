// SPDX-License-Identifier: Apache-2.0
// What llhttp's state machine calls when it finds something: a function with a fixed name for each event,
// which llhttp's own api.c defines as a look into a table of function pointers. Defined here instead, each
// event goes straight to the parser, and those that nobody wants cost nothing once the linker has inlined
// them: 200 instructions less for each request (docs/design/http-protocol.md, "Cost").
#include "http/protocol/request_parser.hpp"

namespace weft::http::protocol {

struct RequestParser::Events {
  static std::size_t size(const char* at, const char* end) noexcept {
    return static_cast<std::size_t>(end - at);
  }
  static int url(llhttp_t* llhttp, const char* at, const char* end) noexcept {
    return of(llhttp).on_url(at, size(at, end));
  }
  static int url_complete(llhttp_t* llhttp, const char*, const char*) noexcept {
    return of(llhttp).on_url_complete();
  }
  static int header_field(llhttp_t* llhttp, const char* at, const char* end) noexcept {
    return of(llhttp).on_header_field(at, size(at, end));
  }
  static int header_value(llhttp_t* llhttp, const char* at, const char* end) noexcept {
    return of(llhttp).on_header_value(at, size(at, end));
  }
  static int chunk_header(llhttp_t* llhttp, const char*, const char*) noexcept {
    return of(llhttp).on_chunk_header();
  }
  static int body(llhttp_t* llhttp, const char* at, const char* end) noexcept {
    return of(llhttp).on_body(at, size(at, end));
  }
  static int message_complete(llhttp_t* llhttp, const char*, const char*) noexcept {
    return of(llhttp).on_message_complete();
  }
  // Whoever runs llhttp goes on with what the head says.
  static int headers_complete(llhttp_t*, const char*, const char*) noexcept { return HPE_PAUSED; }
  static int ignored(llhttp_t*, const char*, const char*) noexcept { return 0; }
};

}  // namespace weft::http::protocol

#define WEFT_LLHTTP_EVENT(NAME, HANDLER)                                               \
  extern "C" int llhttp__on_##NAME(llhttp_t* llhttp, const char* at, const char* end); \
  int llhttp__on_##NAME(llhttp_t* llhttp, const char* at, const char* end) {           \
    return weft::http::protocol::RequestParser::Events::HANDLER(llhttp, at, end);      \
  }

WEFT_LLHTTP_EVENT(url, url)
WEFT_LLHTTP_EVENT(url_complete, url_complete)
WEFT_LLHTTP_EVENT(header_field, header_field)
WEFT_LLHTTP_EVENT(header_value, header_value)
WEFT_LLHTTP_EVENT(headers_complete, headers_complete)
WEFT_LLHTTP_EVENT(chunk_header, chunk_header)
WEFT_LLHTTP_EVENT(body, body)
WEFT_LLHTTP_EVENT(message_complete, message_complete)
WEFT_LLHTTP_EVENT(message_begin, ignored)
WEFT_LLHTTP_EVENT(method, ignored)
WEFT_LLHTTP_EVENT(method_complete, ignored)
WEFT_LLHTTP_EVENT(version, ignored)
WEFT_LLHTTP_EVENT(version_complete, ignored)
WEFT_LLHTTP_EVENT(header_field_complete, ignored)
WEFT_LLHTTP_EVENT(header_value_complete, ignored)
WEFT_LLHTTP_EVENT(chunk_extension_name, ignored)
WEFT_LLHTTP_EVENT(chunk_extension_name_complete, ignored)
WEFT_LLHTTP_EVENT(chunk_extension_value, ignored)
WEFT_LLHTTP_EVENT(chunk_extension_value_complete, ignored)
WEFT_LLHTTP_EVENT(chunk_complete, ignored)
WEFT_LLHTTP_EVENT(reset, ignored)
// Of responses.
WEFT_LLHTTP_EVENT(status, ignored)
WEFT_LLHTTP_EVENT(status_complete, ignored)
