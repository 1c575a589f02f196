// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes that were put off until their thread has nothing else to run, and are then made together, with one
// system call (docs/design/write-batch.md).
//
// Thread safety: the thread whose fibers write, but for what says otherwise.
// Guarantees: each write is made once, whole and in order with others of its stream by the same fiber: when
// a seventeenth comes, when 61 switches are over, before the thread polls or sleeps, or, if a fiber keeps the
// thread, at the monitor's next look, whichever comes first.

#include "base/atomic.hpp"
#include "event_loop/loop_counters.hpp"
#include "event_loop/write_batch/write_slot.hpp"
#include "sys/send_ring.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weft {

class WriteBatch {
 public:
  static constexpr std::uint32_t kSlots = sys::SendRing::kSendsMax;

  WriteBatch() noexcept = default;
  ~WriteBatch();

  /// A free slot for a write of that size, still nobody's; makes the writes that are queued if there is
  /// none. Null: the write cannot be put off.
  WriteSlot* reserve(std::size_t size) noexcept {
    if (size > WriteSlot::kSizeMax) [[unlikely]]
      return nullptr;
    Slots* const slots = slots_.load(relaxed);
    if (slots != nullptr && next_ < kSlots && (*slots)[next_].word.is_free()) [[likely]]
      return &(*slots)[next_];
    return reserve_slow();
  }
  /// The slot that was reserved last, filled: it will be written.
  WriteTicket queue(WriteSlot& slot) noexcept {
    ++next_;
    return slot.word.queue();
  }

  bool empty() const noexcept { return next_ == 0; }
  /// Makes all writes that are queued. Fibers whose write did not succeed as a whole are woken. Does not
  /// suspend.
  void flush() noexcept;
  /// By a thread before it ends: the same, and gives the ring back, which is the thread's.
  void leave() noexcept;

  /// The same as flush() for a batch whose thread is kept by a fiber, each write by itself. Any thread, while
  /// the context lives.
  void flush_from_outside() noexcept;

  // -- any thread
  std::uint64_t writes() const noexcept { return writes_.load(); }    ///< made so far
  std::uint64_t batches() const noexcept { return batches_.load(); }  ///< system calls for several of them

 private:
  using Slots = std::array<WriteSlot, kSlots>;

  [[gnu::noinline]] WriteSlot* reserve_slow() noexcept;
  bool has_ring() noexcept;
  void send_by_ring(std::span<WriteSlot*> taken) noexcept;

  Atomic<Slots*> slots_{nullptr};  // made by the first write that is put off
  std::uint32_t next_ = 0;         // the slots before this one may be queued, those behind it are not
  bool ring_refused_ = false;
  sys::SendRing ring_;
  OwnedCounter writes_;
  OwnedCounter batches_;
};

}  // namespace weft
