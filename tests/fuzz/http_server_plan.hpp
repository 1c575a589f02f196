// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one run of the server's fuzzer does: the bytes that a client sends, and everything around them.

#include "event_loop/sim/sim_options.hpp"

#include <weft/http/limits.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::fuzz {

/// What a handler does.
enum class Action : std::uint8_t {
  kReadAll,
  kReadSome,
  kStream,
  kReadAllLimited,
  kIgnore,
  kReadSomeThenThrow,
  kThrowInt,
  kBadStatus,
  kStatusAfterWrite,
  kBodyAfterWrite,
  kThrowAfterWrite,
  kNoContentWithBody,
  kWrongLength,
  kBadContentType,
  kFullHeaders,
};
inline constexpr std::size_t kActions = 15;

/// How much kReadAllLimited takes.
inline constexpr std::uint64_t kReadLimit = 10;

class Plan {
 public:
  static constexpr std::size_t kHeaderSize = 9;

  explicit Plan(std::string_view data)
      : control_(data.substr(0, kHeaderSize)), rest_(data.substr(kHeaderSize)) {
    if ((control(8) & 1) == 0) {
      bytes = rest_;
      return;
    }
    planned = true;
    while (!rest_.empty() && bodies.size() < 20) encode_request();
  }

  /// Of the n-th request that a handler gets.
  Action action(std::size_t n) const { return static_cast<Action>((control(n % 3) + n / 3 * 5) % kActions); }
  std::size_t read_size(std::size_t n) const { return std::size_t{control(3)} * (n + 1) % 3000 + 1; }
  /// How many bytes the client sends at once.
  std::size_t cut(std::size_t n) const {
    const std::size_t size = n % 2 == 0 ? control(4) : std::size_t{control(5)} * 40;
    return size == 0 ? 64 * 1024 : size;
  }
  bool pauses() const { return (control(8) & 2) != 0; }
  /// The client leaves without reading.
  bool leaves() const { return (control(8) & 12) == 12; }
  bool stops_midway() const { return (control(8) & 48) == 48; }

  SimOptions world() const {
    if ((control(8) & 64) != 0) return SimOptions::rough(control(7) + 1u);
    SimOptions options;
    options.seed = control(7) + 1u;
    return options;
  }

  Limits limits() const {
    Limits limits;
    const std::uint8_t choice = control(6);
    if ((choice & 1) != 0) limits.request_line_size_max = 20, limits.head_size_max = 200;
    if ((choice & 2) != 0) limits.body_size_max = 10;
    if ((choice & 4) != 0) limits.chunk_overhead_max = 24;
    if ((choice & 8) != 0) limits.unread_body_size_max = 5;
    if ((choice & 16) != 0) limits.chunk_overhead_max = static_cast<std::size_t>(-1);
    if ((choice & 32) != 0)
      limits.request_line_size_max = limits.head_size_max = static_cast<std::size_t>(-1);
    if ((choice & 64) != 0) limits.body_size_max = limits.unread_body_size_max = kUnlimited;
    if ((choice & 128) != 0) limits.header_count_max = 3;
    return limits;
  }

  std::string bytes;                ///< what the client sends
  std::vector<std::string> bodies;  ///< of the requests in it, if they were planned
  bool planned = false;

 private:
  std::uint8_t control(std::size_t i) const { return static_cast<std::uint8_t>(control_[i]); }

  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return static_cast<std::uint8_t>(byte);
  }

  void encode_request() {
    const std::uint8_t kind = next();
    if (kind % 4 == 0) {
      bytes += "GET /get HTTP/1.1\r\nHost: a\r\n\r\n";
      bodies.emplace_back();
      return;
    }
    std::string body(std::size_t{next()} * (kind % 64 == 1 ? 397 : 7), '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 % 251 + bodies.size());
    bytes += kind % 8 < 4 ? "POST /post HTTP/1.1\r\nHost: a\r\n" : "PUT /put HTTP/1.1\r\nHost: a\r\n";
    if (kind % 32 == 3) bytes += "Expect: 100-continue\r\n";
    kind % 4 == 1 ? encode_fixed(body) : encode_chunked(body);
    bodies.push_back(std::move(body));
  }

  void encode_fixed(const std::string& body) {
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  void encode_chunked(std::string_view body) {
    bytes += "Transfer-Encoding: chunked\r\n\r\n";
    const std::size_t chunk = std::size_t{next()} * 5 + 1;
    while (!body.empty()) {
      const std::string_view piece = body.substr(0, chunk);
      std::array<char, 32> line;
      std::snprintf(line.data(), line.size(), "%zx\r\n", piece.size());
      bytes.append(line.data()).append(piece).append("\r\n");
      body.remove_prefix(piece.size());
    }
    bytes += "0\r\n\r\n";
  }

  std::string_view control_;
  std::string_view rest_;
};

}  // namespace weft::http::fuzz
