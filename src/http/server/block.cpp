// SPDX-License-Identifier: Apache-2.0
#include "http/server/block.hpp"

#include <new>

namespace weft::http::server {
namespace {

/// Blocks that a thread keeps for later; more go back to the heap. Busy at the same time are those whose handlers
/// suspend, or whose clients send a request in pieces.
constexpr std::size_t kFreeBlocksMax = 64;

class FreeBlocks {
 public:
  ~FreeBlocks() {
    while (first_ != nullptr) drop_block(pop());
  }

  Block* pop() noexcept {
    Block* const block = first_;
    if (block == nullptr) return nullptr;
    first_ = block->next_free;
    --count_;
    return block;
  }

  bool push(Block* block) noexcept {
    if (count_ == kFreeBlocksMax) return false;
    block->next_free = first_;
    first_ = block;
    ++count_;
    return true;
  }

 private:
  Block* first_ = nullptr;
  std::size_t count_ = 0;
};

// Out of line, and opaque to the optimizer: the caller may have come to another thread since its last call.
[[gnu::noinline]] FreeBlocks& free_blocks() noexcept {
  static thread_local FreeBlocks blocks;
  FreeBlocks* address = &blocks;
  asm volatile("" : "+r"(address)::"memory");
  return *address;
}

}  // namespace

Block* take_block(const ServerLimits& server) {
  Block* const block = free_blocks().pop();
  if (block == nullptr) return new Block(server);
  if (block->server_id == server.id) [[likely]] return block;
  block->~Block();
  return new (block) Block(server);
}

void give_block(Block* block) noexcept {
  if (!free_blocks().push(block)) drop_block(block);
}

void drop_block(Block* block) noexcept { delete block; }

}  // namespace weft::http::server
