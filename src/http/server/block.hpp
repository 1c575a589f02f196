// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a connection needs while it has a request, and gives back while it has none: parser, buffers, encoder. Ten
// thousand idle connections hold no block; a thread's busy ones use the same few, which stay in its cache.
//
// Thread safety: a block is its connection's. The free lists are per thread, reached out of line: a connection may
// give its block back on another thread than it took it.

#include "http/protocol/date.hpp"
#include "http/protocol/request_reader.hpp"
#include "http/protocol/response_encoder.hpp"

#include <weft/http/limits.hpp>
#include <weft/http/path_parameters.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weft::http::server {

/// What the connections of a server are held to; the id is never used again.
struct ServerLimits {
  std::uint64_t id;
  Limits limits;
};

struct Block {
  static constexpr std::size_t kInputSize = 20 * 1024;
  static constexpr std::size_t kOutputSize = 8 * 1024;
  static constexpr std::size_t kSmallBodySize = 2 * 1024;

  explicit Block(const ServerLimits& server) noexcept
      : server_id(server.id), reader(input, server.limits), encoder(output) {}

  // Raw memory, declared first because the reader and the encoder are made with it.
  std::array<char, kSmallBodySize> small_body;
  std::array<char, kOutputSize> output;
  std::array<char, kInputSize> input;

  Block* next_free = nullptr;
  std::uint64_t server_id;  ///< whose connections it serves: the reader was made with its limits
  protocol::RequestReader reader;
  protocol::ResponseEncoder encoder;
  protocol::DateLine date;
  PathParameters parameters;
};

/// A block with an empty reader for a connection of that server, from the thread's free list or the heap.
Block* take_block(const ServerLimits& server);
/// Takes back a block whose reader has nothing left: next() has returned false.
void give_block(Block* block) noexcept;
/// Frees a block whose reader is in the middle of something.
void drop_block(Block* block) noexcept;

/// Holds a block for a while, or none.
class BlockLease {
 public:
  BlockLease() noexcept = default;
  BlockLease(const BlockLease&) = delete;
  BlockLease& operator=(const BlockLease&) = delete;
  ~BlockLease() {
    if (block_ != nullptr) drop_block(block_);
  }

  Block& take(const ServerLimits& server) {
    if (block_ == nullptr) block_ = take_block(server);
    return *block_;
  }
  void give_back() noexcept { give_block(std::exchange(block_, nullptr)); }
  bool held() const noexcept { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

}  // namespace weft::http::server
