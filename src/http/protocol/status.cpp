// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/status_lines.hpp"

#include <array>
#include <cstdint>

namespace weft::http {
namespace {

#define WEFT_STATUS(code, phrase) \
  { code, "HTTP/1.1 " #code " " phrase "\r\n" }
struct Entry {
  std::uint16_t code;
  std::string_view line;
};
constexpr Entry kEntries[] = {
    WEFT_STATUS(100, "Continue"),
    WEFT_STATUS(101, "Switching Protocols"),
    WEFT_STATUS(102, "Processing"),
    WEFT_STATUS(103, "Early Hints"),
    WEFT_STATUS(200, "OK"),
    WEFT_STATUS(201, "Created"),
    WEFT_STATUS(202, "Accepted"),
    WEFT_STATUS(203, "Non-Authoritative Information"),
    WEFT_STATUS(204, "No Content"),
    WEFT_STATUS(205, "Reset Content"),
    WEFT_STATUS(206, "Partial Content"),
    WEFT_STATUS(207, "Multi-Status"),
    WEFT_STATUS(300, "Multiple Choices"),
    WEFT_STATUS(301, "Moved Permanently"),
    WEFT_STATUS(302, "Found"),
    WEFT_STATUS(303, "See Other"),
    WEFT_STATUS(304, "Not Modified"),
    WEFT_STATUS(307, "Temporary Redirect"),
    WEFT_STATUS(308, "Permanent Redirect"),
    WEFT_STATUS(400, "Bad Request"),
    WEFT_STATUS(401, "Unauthorized"),
    WEFT_STATUS(402, "Payment Required"),
    WEFT_STATUS(403, "Forbidden"),
    WEFT_STATUS(404, "Not Found"),
    WEFT_STATUS(405, "Method Not Allowed"),
    WEFT_STATUS(406, "Not Acceptable"),
    WEFT_STATUS(407, "Proxy Authentication Required"),
    WEFT_STATUS(408, "Request Timeout"),
    WEFT_STATUS(409, "Conflict"),
    WEFT_STATUS(410, "Gone"),
    WEFT_STATUS(411, "Length Required"),
    WEFT_STATUS(412, "Precondition Failed"),
    WEFT_STATUS(413, "Content Too Large"),
    WEFT_STATUS(414, "URI Too Long"),
    WEFT_STATUS(415, "Unsupported Media Type"),
    WEFT_STATUS(416, "Range Not Satisfiable"),
    WEFT_STATUS(417, "Expectation Failed"),
    WEFT_STATUS(421, "Misdirected Request"),
    WEFT_STATUS(422, "Unprocessable Content"),
    WEFT_STATUS(423, "Locked"),
    WEFT_STATUS(424, "Failed Dependency"),
    WEFT_STATUS(425, "Too Early"),
    WEFT_STATUS(426, "Upgrade Required"),
    WEFT_STATUS(428, "Precondition Required"),
    WEFT_STATUS(429, "Too Many Requests"),
    WEFT_STATUS(431, "Request Header Fields Too Large"),
    WEFT_STATUS(451, "Unavailable For Legal Reasons"),
    WEFT_STATUS(500, "Internal Server Error"),
    WEFT_STATUS(501, "Not Implemented"),
    WEFT_STATUS(502, "Bad Gateway"),
    WEFT_STATUS(503, "Service Unavailable"),
    WEFT_STATUS(504, "Gateway Timeout"),
    WEFT_STATUS(505, "HTTP Version Not Supported"),
    WEFT_STATUS(507, "Insufficient Storage"),
    WEFT_STATUS(508, "Loop Detected"),
    WEFT_STATUS(511, "Network Authentication Required"),
};
#undef WEFT_STATUS

constexpr unsigned kFirstCode = 100;
constexpr unsigned kLastCode = 599;

// code - 100 -> position in kEntries plus one, zero for codes without a name
constexpr std::array<std::uint8_t, kLastCode - kFirstCode + 1> kPositions = [] {
  std::array<std::uint8_t, kLastCode - kFirstCode + 1> positions{};
  std::uint8_t position = 0;
  for (const Entry& entry : kEntries) positions[entry.code - kFirstCode] = ++position;
  return positions;
}();

constexpr bool all_fit() {
  for (const Entry& entry : kEntries) {
    if (entry.line.size() > protocol::kStatusLineSizeMax) return false;
  }
  return true;
}
static_assert(all_fit(), "kStatusLineSizeMax is too small");

}  // namespace

std::string_view protocol::status_line(Status status) noexcept {
  const unsigned offset = code_of(status) - kFirstCode;
  if (offset >= kPositions.size() || kPositions[offset] == 0) return {};
  return kEntries[kPositions[offset] - 1].line;
}

std::string_view reason_phrase(Status status) noexcept {
  constexpr std::size_t kPrefixSize = sizeof("HTTP/1.1 404 ") - 1;
  const std::string_view line = protocol::status_line(status);
  return line.empty() ? line : line.substr(kPrefixSize, line.size() - kPrefixSize - 2);
}

}  // namespace weft::http
