// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace weft {

class SimSocket;

enum class SimEventKind : std::uint8_t {
  kSyn,      ///< `target`, a client, asks for a connection; `amount`: how often it asked before
  kSynAck,   ///< the client is connected
  kRefusal,  ///< it is not; `amount` is the errno
  kData,     ///< `amount` bytes have arrived
  kAck,      ///< the peer has read `amount` bytes
  kFin,      ///< the peer sends no more
  kReset,    ///< the peer is gone
  kShut,     ///< this end was shut down: whoever waits looks again
};

/// Something that happens to a socket at a point in virtual time.
struct SimEvent {
  std::int64_t time_ns = 0;
  std::uint64_t sequence = 0;
  SimEventKind kind = SimEventKind::kData;
  std::shared_ptr<SimSocket> target;
  std::uint64_t amount = 0;
};

/// What is going to happen, in the order of (time, push): of two things sent the same way the first arrives
/// first. Not thread-safe.
class SimEventQueue {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  void push(SimEvent event) {
    event.sequence = next_sequence_++;
    heap_.push_back(std::move(event));
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  /// When the first of them happens.
  std::int64_t next_ns() const noexcept { return heap_.empty() ? kNever : heap_.front().time_ns; }

  /// REQUIRES: there is one.
  SimEvent pop() noexcept {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    SimEvent event = std::move(heap_.back());
    heap_.pop_back();
    return event;
  }

  std::vector<SimEvent> take_all() noexcept { return std::exchange(heap_, {}); }

 private:
  static bool later(const SimEvent& a, const SimEvent& b) noexcept {
    return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.sequence > b.sequence;
  }

  std::vector<SimEvent> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace weft
