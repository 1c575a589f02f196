// SPDX-License-Identifier: Apache-2.0
#include "event_loop/write_batch/write_batch.hpp"

#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "sys/recv_send.hpp"

#include <mutex>
#include <new>

namespace weft {
namespace {

// All of it was sent, or its fiber is told to go on: it is a user of the descriptor until then, and its node
// was queued before its write.
void settle(WriteSlot& slot, long raw) noexcept {
  if (raw == static_cast<long>(slot.size)) [[likely]]
    return slot.word.sent();
  if (raw > 0) slot.sent = static_cast<std::uint32_t>(raw);
  if (raw < 0 && raw != -EAGAIN && raw != -EINTR) slot.error = static_cast<int>(-raw);
  Descriptor& descriptor = *slot.descriptor;
  WaitList taken;
  {
    std::scoped_lock lock(descriptor.lock);
    take_all_waiters_locked(descriptor, taken);
  }
  slot.word.failed();  // the last look at the slot: its fiber may be gone at once
  wake_taken(descriptor, taken, WaitOutcome::kRetry);
}

void send_alone(WriteSlot& slot) noexcept {
  const Result<std::size_t> sent = sys::send(slot.descriptor->fd, slot.data());
  settle(slot, sent ? static_cast<long>(*sent) : -sent.error().value());
}

}  // namespace

WriteBatch::~WriteBatch() { delete slots_.load(relaxed); }

WriteSlot* WriteBatch::reserve_slow() noexcept {
  Slots* slots = slots_.load(relaxed);
  if (slots == nullptr) {
    slots = new (std::nothrow) Slots;
    if (slots == nullptr) return nullptr;
    slots_.store(slots, release);
  }
  for (int round = 0; round < 2; ++round) {
    // Not free: another thread sends it, or its fiber has not come to take it back yet.
    for (; next_ < kSlots; ++next_) {
      if ((*slots)[next_].word.is_free()) return &(*slots)[next_];
    }
    flush();
  }
  return nullptr;
}

void WriteBatch::flush() noexcept {
  if (next_ == 0) return;
  Slots& slots = *slots_.load(relaxed);
  WriteSlot* taken[kSlots];
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < next_; ++i) {
    if (slots[i].word.take()) taken[count++] = &slots[i];
  }
  next_ = 0;
  writes_.add(count);
  if (count > 1 && has_ring()) return send_by_ring({taken, count});
  for (std::size_t i = 0; i < count; ++i) send_alone(*taken[i]);
}

// Asked once: it is refused for good.
bool WriteBatch::has_ring() noexcept {
  if (!ring_.valid() && !ring_refused_) {
    Result<sys::SendRing> ring = sys::SendRing::create();
    ring_refused_ = !ring;
    if (ring) ring_ = std::move(*ring);
  }
  return ring_.valid();
}

void WriteBatch::send_by_ring(std::span<WriteSlot*> taken) noexcept {
  sys::RingSend sends[kSlots];
  for (std::size_t i = 0; i < taken.size(); ++i)
    sends[i] = {.fd = taken[i]->descriptor->fd, .data = taken[i]->data(), .raw = 0};
  ring_.send(std::span(sends).first(taken.size()));
  batches_.add();
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (sends[i].raw == sys::RingSend::kNotSent) [[unlikely]]
      send_alone(*taken[i]);
    else
      settle(*taken[i], sends[i].raw);
  }
}

void WriteBatch::leave() noexcept {
  flush();
  ring_ = sys::SendRing();
}

void WriteBatch::flush_from_outside() noexcept {
  Slots* const slots = slots_.load(acquire);
  if (slots == nullptr) return;
  for (WriteSlot& slot : *slots) {
    if (slot.word.take()) send_alone(slot);
  }
}

}  // namespace weft
