// SPDX-License-Identifier: Apache-2.0
#pragma once

// Test support: plays a byte stream through a RequestReader, cut into feeds at will, and records what came of
// it. Every test of split-invariance and the fuzzer compare such records.

#include "base/sanitizers.hpp"
#include "http/protocol/request_reader.hpp"

#include <algorithm>
#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace weft::http::protocol {

/// One request as a handler would have seen it; `broken` where a view left the buffer.
struct ReplayedRequest {
  Method method = Method::get;
  Version version = Version::http_1_1;
  std::string target, path, query, authority, body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_alive = false, expects_continue = false, complete = false, broken = false;

  friend bool operator==(const ReplayedRequest&, const ReplayedRequest&) = default;
};

struct Replay {
  std::vector<ReplayedRequest> requests;
  int refused_with = 0;      ///< status code, 0 if nothing was refused
  std::string reason;        ///< not compared: the first of several reasons may win
  std::size_t consumed = 0;  ///< bytes fed until the refusal or the end; not compared

  friend bool operator==(const Replay& a, const Replay& b) {
    return a.requests == b.requests && a.refused_with == b.refused_with;
  }
  friend std::ostream& operator<<(std::ostream& out, const Replay& replay) {
    out << replay.refused_with << " (" << replay.reason << ")";
    for (const ReplayedRequest& request : replay.requests) {
      out << "\n  " << to_string(request.method) << " " << request.target << " body '" << request.body << "'"
          << (request.complete ? "" : " incomplete") << (request.broken ? " BROKEN" : "");
    }
    return out;
  }
};

/// The cuts of a replay: how many bytes the n-th receive may take, and how many a pull of the body.
struct Cuts {
  std::vector<std::size_t> sizes;  ///< used in turn, the last one for ever; empty: all at once
  std::size_t pull_max = static_cast<std::size_t>(-1);

  std::size_t operator[](std::size_t n) const noexcept {
    if (sizes.empty()) return static_cast<std::size_t>(-1);
    return std::max<std::size_t>(1, sizes[std::min(n, sizes.size() - 1)]);
  }
};

class Replayer {
 public:
  explicit Replayer(std::string_view bytes, Cuts cuts = {}, const Limits& limits = {},
                    std::size_t capacity = 20480)
      : rest_(bytes), cuts_(std::move(cuts)), buffer_(capacity), reader_(buffer_, limits) {}

  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;
  ~Replayer() { expose(buffer_, buffer_.size()); }

  Replay run() {
    while (run_request()) {}
    if (reader_.refusal()) {
      replay_.refused_with = static_cast<int>(code_of(reader_.refusal().status));
      replay_.reason = reader_.refusal().reason;
    }
    return replay_;
  }

 private:
  bool receive() {
    const std::span<char> space = reader_.free_space();
    const std::size_t size = std::min({rest_.size(), space.size(), cuts_[receives_++]});
    if (size == 0) return false;
    expose(space, size);
    std::memcpy(space.data(), rest_.data(), size);
    rest_.remove_prefix(size);
    replay_.consumed += size;
    reader_.received(size);
    return true;
  }

  // Under AddressSanitizer a look at what was not received is an error.
  void expose([[maybe_unused]] std::span<char> space, [[maybe_unused]] std::size_t size) {
#if WEFT_ASAN
    ASAN_POISON_MEMORY_REGION(space.data(), space.size());
    ASAN_UNPOISON_MEMORY_REGION(space.data(), size);
#endif
  }

  bool run_request() {
    HeadStatus status = reader_.parse_head();
    while (status == HeadStatus::kNeedInput && receive()) status = reader_.parse_head();
    if (status != HeadStatus::kComplete) return false;
    replay_.requests.emplace_back();
    const bool complete = pull_body(replay_.requests.back());
    record_head(replay_.requests.back());  // after the body: receiving it must not have touched the head
    replay_.requests.back().complete = complete;
    if (!complete || !reader_.head().keep_alive) return false;
    reader_.next();
    return true;
  }

  bool pull_body(ReplayedRequest& request) {
    for (;;) {
      const BodyPiece piece = reader_.pull_body(cuts_.pull_max);
      if (piece.status == BodyStatus::kEnd) return reader_.finished();
      if (piece.status == BodyStatus::kRefused) return false;
      if (piece.status == BodyStatus::kNeedInput && !receive()) return false;
      if (piece.status == BodyStatus::kData) request.broken |= piece.data.empty() || !in_buffer(piece.data);
      request.body += piece.data;
    }
  }

  bool in_buffer(std::string_view view) const {
    const std::span<const char> buffer = reader_.buffer();
    return view.empty() ||
           (view.data() >= buffer.data() && view.data() + view.size() <= buffer.data() + buffer.size());
  }

  void record_head(ReplayedRequest& request) const {
    const RequestHead& head = reader_.head();
    request.broken |= !in_buffer(head.target) || !in_buffer(head.query) || !in_buffer(head.authority);
    request.method = head.method, request.version = head.version;
    request.target = head.target, request.path = head.path, request.query = head.query;
    request.authority = head.authority;
    for (const Header& header : head.headers) {
      request.broken |= !in_buffer(header.name()) || !in_buffer(header.value());
      request.headers.emplace_back(header.name(), header.value());
    }
    request.keep_alive = head.keep_alive, request.expects_continue = head.expects_continue;
  }

  std::string_view rest_;
  Cuts cuts_;
  std::vector<char> buffer_;
  RequestReader reader_;
  Replay replay_;
  std::size_t receives_ = 0;
};

inline Replay replay(std::string_view bytes, Cuts cuts = {}, const Limits& limits = {},
                     std::size_t capacity = 20480) {
  return Replayer(bytes, std::move(cuts), limits, capacity).run();
}

}  // namespace weft::http::protocol
