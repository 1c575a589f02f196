// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a connection needs while it has a request, and gives back while it has none: parser, buffers, encoder.
// Ten thousand idle connections hold no block; a thread's busy ones use the same few, which stay in its
// cache.
//
// Thread safety: a block is its connection's. The free lists are per thread, reached out of line: a
// connection may give its block back on another thread than it took it.

#include "http/protocol/date.hpp"
#include "http/protocol/request_reader.hpp"
#include "http/protocol/response_encoder.hpp"
#include "http/server/body_pace.hpp"

#include <weft/deadline.hpp>
#include <weft/http/limits.hpp>
#include <weft/http/path_parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace weft::http::server {

/// What the connections of a server are held to; the id is never used again.
struct ServerLimits {
  explicit ServerLimits(const Limits& wanted) noexcept;

  std::uint64_t id;
  Limits limits;
  // The time limits in nanoseconds, at hand for each request.
  std::int64_t head_ns;
  std::int64_t body_ns;
  std::int64_t write_ns;
  std::int64_t idle_ns;
  std::int64_t linger_ns;
  std::int64_t body_total_ns;
  /// How long a connection waits for its next request before it gives memory back: of the idle time, and well
  /// before a write can time out, so that it is known which of the two passed.
  std::int64_t quiet_ns;
  std::int64_t first_request_grace_ns;
  std::int64_t idle_grace_ns;
  std::int64_t cancel_grace_ns;

  /// When the read of a body that begins at `now_ns` must have brought something; notes its beginning.
  Deadline begin_body_read(BodyPace& pace, std::int64_t now_ns) const noexcept;

 private:
  std::int64_t least_rate_ns(std::uint64_t size) const noexcept;
};

/// `timeout_ns` after `now_ns`; never if that is too far to count.
inline Deadline deadline_in(std::int64_t now_ns, std::int64_t timeout_ns) noexcept {
  return timeout_ns > Deadline::never().time_ns() - now_ns ? Deadline::never()
                                                           : Deadline::at_ns(now_ns + timeout_ns);
}

/// The `Date` line, looked up again when the second is over.
class DateCache {
 public:
  /// `now_ns` is the coarse monotonic time, which the caller has at hand.
  std::string_view line(std::int64_t now_ns) noexcept {
    if (now_ns >= valid_until_ns_) [[unlikely]]
      refresh(now_ns);
    return line_;
  }

 private:
  void refresh(std::int64_t now_ns) noexcept;

  protocol::DateLine date_;
  std::string_view line_;  // in date_
  std::int64_t valid_until_ns_ = std::numeric_limits<std::int64_t>::min();
};

/// The raw memory of a block: its base, so that it is there when the reader and the encoder are made with it.
struct BlockMemory {
  static constexpr std::size_t kInputSize = 20 * 1024;
  static constexpr std::size_t kOutputSize = 8 * 1024;
  static constexpr std::size_t kSmallBodySize = 2 * 1024;

  char small_body[kSmallBodySize];
  char output[kOutputSize];
  char input[kInputSize];
};

struct Block : BlockMemory {
  explicit Block(const ServerLimits& server) noexcept
      : server_id(server.id),
        reader({input, kInputSize}, server.limits),
        encoder({output, kOutputSize}, server.limits.response_head_size_max) {}

  Block* next_free = nullptr;
  std::uint64_t server_id;  ///< whose connections it serves: the reader was made with its limits
  protocol::RequestReader reader;
  protocol::ResponseEncoder encoder;
  DateCache date;
  BodyPace pace;  ///< of the request that is being answered, if it has a body
  PathParameters parameters;
  std::error_code unsent_because;  ///< of a response that could not be sent: why
};

/// A block with an empty reader for a connection of that server, from the thread's free list or the heap.
Block* take_block(const ServerLimits& server);
/// Takes back a block whose reader is ready for another connection.
void give_block(Block* block) noexcept;

/// Holds a block for a while, or none.
class BlockLease {
 public:
  BlockLease() noexcept = default;
  BlockLease(const BlockLease&) = delete;
  BlockLease& operator=(const BlockLease&) = delete;
  ~BlockLease() {
    if (block_ == nullptr) return;
    block_->reader.reset();
    give_back();
  }

  Block& take(const ServerLimits& server) {
    if (block_ == nullptr) block_ = take_block(server);
    return *block_;
  }
  Block& block() noexcept { return *block_; }
  /// REQUIRES: the reader has nothing left, next() has returned false.
  void give_back() noexcept { give_block(std::exchange(block_, nullptr)); }
  bool held() const noexcept { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

}  // namespace weft::http::server
