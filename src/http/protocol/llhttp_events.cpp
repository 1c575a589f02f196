// SPDX-License-Identifier: Apache-2.0
// What llhttp's state machine calls when it finds something: a function with a fixed name for each event,
// which llhttp's own api.c defines as a look into a table of function pointers. Defined here instead, each
// event goes straight to the parser, and those that nobody wants cost nothing once the linker has inlined
// them: 200 instructions less for each request (docs/design/http-protocol.md, "Cost").
#include "http/protocol/request_parser.hpp"

namespace weft::http::protocol {

/// Handlers by the names that events have below.
struct RequestParser::Events {
  template <auto kHandler>
  static int span(llhttp_t* llhttp, const char* at, const char* end) noexcept {
    return (of(llhttp).*kHandler)(at, static_cast<std::size_t>(end - at));
  }
  template <auto kHandler>
  static int point(llhttp_t* llhttp, const char*, const char*) noexcept {
    return (of(llhttp).*kHandler)();
  }
  template <int kAnswer>
  static int answer(llhttp_t*, const char*, const char*) noexcept {
    return kAnswer;
  }

  static constexpr auto url = span<&RequestParser::on_url>;
  static constexpr auto url_complete = point<&RequestParser::on_url_complete>;
  static constexpr auto header_field = span<&RequestParser::on_header_field>;
  static constexpr auto header_value = span<&RequestParser::on_header_value>;
  static constexpr auto headers_complete = answer<HPE_PAUSED>;  // the runner goes on with what the head says
  static constexpr auto chunk_header = point<&RequestParser::on_chunk_header>;
  static constexpr auto body = span<&RequestParser::on_body>;
  static constexpr auto message_complete = point<&RequestParser::on_message_complete>;
  static constexpr auto ignored = answer<0>;
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
