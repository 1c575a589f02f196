// SPDX-License-Identifier: Apache-2.0
// A write that is followed by a read: put off, if the read will have to wait (docs/design/write-batch.md).
#include "base/spin_backoff.hpp"
#include "event_loop/descriptor_use.hpp"
#include "event_loop/operation.hpp"
#include "event_loop/polling_event_loop.hpp"
#include "event_loop/write_batch.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <array>

namespace weft {
namespace {

// Null: the write is made now, as the read is likely to find something, or cannot be put off.
WriteSlot* slot_for(Runner& runner, Descriptor& descriptor, std::size_t size) noexcept {
  if (runner.writes == nullptr || descriptor.kind != DescriptorKind::kStream ||
      descriptor.readiness.load().ready(Direction::kRead) || cancel_is_due(runner))
    return nullptr;
  return runner.writes->reserve(size);
}

}  // namespace

Result<std::size_t> PollingEventLoop::write_then_read(DescriptorHandle handle,
                                                      std::span<const std::byte> data, BufferSource& source,
                                                      const ExchangeDeadlines& deadlines) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (const Result<void> done = write_and_wait(*descriptor, data, source, deadlines); !done) [[unlikely]]
    return done.error();
  return read_when_ready(*descriptor, source, deadlines.read);
}

// Writes all of it, and waits, if the write is put off, until there may be something to read.
Result<void> PollingEventLoop::write_and_wait(Descriptor& descriptor, std::span<const std::byte> data,
                                              BufferSource& source, const ExchangeDeadlines& deadlines) {
  WriteSlot* const slot = slot_for(*this_runner(), descriptor, data.size());
  if (slot == nullptr) return write_all(descriptor, data, deadlines.write);
  slot->fill(descriptor, data);
  Result<void> waited;
  const WriteTicket ticket = wait_with_write(descriptor, deadlines.read, *slot, source, waited);
  if (ticket == 0) [[unlikely]]
    return waited ? write_all(descriptor, data, deadlines.write) : waited;
  if (!slot->word.is_over(ticket)) [[unlikely]] {
    if (const Result<void> written = finish_write(descriptor, *slot, ticket, deadlines.write); !written)
      return written;
  }
  return waited;
}

Result<void> PollingEventLoop::write_all(Descriptor& descriptor, std::span<const std::byte> data,
                                         Deadline deadline) {
  while (!data.empty()) {
    const Result<std::size_t> written = write(descriptor, data, deadline);
    if (!written) return written.error();
    data = data.subspan(*written);
  }
  return {};
}

// The wait was over before the write was made, or the write has failed or did not take all.
[[gnu::cold, gnu::noinline]] Result<void> PollingEventLoop::finish_write(Descriptor& descriptor,
                                                                         WriteSlot& slot, WriteTicket ticket,
                                                                         Deadline deadline) {
  if (!slot.word.withdraw(ticket)) {
    WriteWord::Fate fate = slot.word.fate(ticket);
    for (SpinBackoff backoff; fate == WriteWord::Fate::kSending; fate = slot.word.fate(ticket))
      backoff.pause();  // for the length of a system call
    if (fate == WriteWord::Fate::kOver) return {};
  }
  // Copied, so that the slot is not kept for as long as the client likes.
  std::array<std::byte, WriteSlot::kSizeMax> rest;
  const std::span<const std::byte> left = slot.data().subspan(slot.sent);
  std::copy(left.begin(), left.end(), rest.begin());
  const int error = slot.error;
  slot.word.give_back();
  if (error != 0) return sys::error_of(error);
  return write_all(descriptor, std::span(rest).first(left.size()), deadline);
}

}  // namespace weft
