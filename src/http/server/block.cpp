// SPDX-License-Identifier: Apache-2.0
#include "http/server/block.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "base/saturating.hpp"

#include <algorithm>
#include <chrono>
#include <new>

namespace weft::http::server {
namespace {

/// Blocks that a thread keeps for later; more go back to the heap. Busy at the same time are those whose
/// handlers suspend, or whose clients send a request in pieces.
constexpr std::size_t kFreeBlocksMax = 64;

/// A connection that waits for longer is not one under load.
constexpr std::int64_t kQuietNs = 1'000'000'000;

// Plain data, so that reaching it costs no check whether it is constructed; FreeAtThreadExit empties it.
class FreeBlocks {
 public:
  Block* pop() noexcept {
    Block* const block = first_;
    if (block == nullptr) return nullptr;
    first_ = block->next_free;
    --count_;
    return block;
  }

  bool push(Block* block) noexcept {
    if (count_ == kFreeBlocksMax || !emptied_at_exit_) [[unlikely]]
      return push_slow(block);
    link(block);
    return true;
  }

 private:
  void link(Block* block) noexcept {
    block->next_free = first_;
    first_ = block;
    ++count_;
  }
  [[gnu::cold, gnu::noinline]] bool push_slow(Block* block) noexcept;

  Block* first_ = nullptr;
  std::size_t count_ = 0;
  bool emptied_at_exit_ = false;
};

thread_local constinit FreeBlocks thread_blocks;

struct FreeAtThreadExit {
  ~FreeAtThreadExit() {
    while (Block* const block = thread_blocks.pop()) delete block;
  }
};

// Out of line, and opaque to the optimizer: the caller may have come to another thread since its last call.
[[gnu::noinline]] FreeBlocks& free_blocks() noexcept {
  FreeBlocks* address = &thread_blocks;
  asm volatile("" : "+r"(address)::"memory");
  return *address;
}

bool FreeBlocks::push_slow(Block* block) noexcept {
  if (count_ == kFreeBlocksMax) return false;
  static thread_local FreeAtThreadExit at_exit;
  asm volatile("" ::"r"(&at_exit) : "memory");
  emptied_at_exit_ = true;
  link(block);
  return true;
}

std::int64_t to_ns(std::chrono::milliseconds timeout) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (timeout.count() > kMax / 1'000'000) return kMax;
  return timeout.count() < 0 ? 0 : timeout.count() * 1'000'000;
}

}  // namespace

ServerLimits::ServerLimits(const Limits& wanted) noexcept
    : limits(wanted),
      head_ns(to_ns(wanted.head_timeout)),
      body_ns(to_ns(wanted.body_timeout)),
      write_ns(to_ns(wanted.write_timeout)),
      idle_ns(to_ns(wanted.idle_timeout)),
      linger_ns(to_ns(wanted.linger_timeout)),
      body_total_ns(to_ns(wanted.body_total_timeout)),
      quiet_ns(write_ns < kQuietNs ? idle_ns : std::min({idle_ns, write_ns / 4, kQuietNs})),
      first_request_grace_ns(to_ns(wanted.first_request_grace)),
      idle_grace_ns(to_ns(wanted.idle_grace)),
      cancel_grace_ns(to_ns(wanted.cancel_grace)) {
  static Atomic<std::uint64_t> next_id{1};
  id = next_id.fetch_add(1, relaxed);
}

Deadline ServerLimits::begin_body_read(BodyPace& pace, std::int64_t now_ns) const noexcept {
  pace.began_ns = now_ns;
  const std::int64_t allowed = std::min(body_total_ns, least_rate_ns(pace.size));
  const std::int64_t left = std::max<std::int64_t>(saturating_subtract(allowed, pace.waited_ns), 0);
  return deadline_in(now_ns, std::min(body_ns, left));
}

// What a body of which `size` bytes have come may have taken.
std::int64_t ServerLimits::least_rate_ns(std::uint64_t size) const noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (limits.body_rate_min == 0) return kMax;
  const double ns = static_cast<double>(size) / static_cast<double>(limits.body_rate_min) * 1e9;
  return ns < 1e18 ? saturating_add(body_ns, static_cast<std::int64_t>(ns)) : kMax;
}

void DateCache::refresh(std::int64_t now_ns) noexcept {
  const UnixTime time = coarse_unix_time();
  line_ = date_.at(time.seconds);
  valid_until_ns_ = now_ns + 1'000'000'000 - time.nanoseconds;
}

Block* take_block(const ServerLimits& server) {
  Block* const block = free_blocks().pop();
  if (block == nullptr) [[unlikely]]
    return new Block(server);
  if (block->server_id == server.id) [[likely]]
    return block;
  block->~Block();
  return new (block) Block(server);
}

void give_block(Block* block) noexcept {
  if (!free_blocks().push(block)) delete block;
}

}  // namespace weft::http::server
