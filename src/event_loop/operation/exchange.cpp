// SPDX-License-Identifier: Apache-2.0
// A write that is followed by a read: put off, if the read will have to wait (docs/design/write-batch.md).
#include "base/spin_backoff.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/operation/wait.hpp"
#include "event_loop/write_batch/write_batch.hpp"
#include "fiber/budget.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <array>

namespace weft {
namespace {

// Null: the write is made now, as the read is likely to find something, or cannot be put off.
WriteSlot* slot_for(Runner& runner, Descriptor& descriptor, std::size_t size) noexcept {
  if (runner.writes == nullptr || !is_socket(descriptor.kind) ||
      descriptor.readiness.load().ready(Direction::kRead) || cancel_is_due(runner))
    return nullptr;
  return runner.writes->reserve(size);
}

}  // namespace

Result<std::size_t> Files::write_then_read(DescriptorHandle handle, std::span<const std::byte> data,
                                           BufferSource& source, const ExchangeDeadlines& deadlines) {
  WriteTurn turn(handle, deadlines.write);
  if (!turn) [[unlikely]]
    return turn.error();
  if (const Result<void> done = write_and_wait(turn, data, source, deadlines); !done) [[unlikely]]
    return done.error();
  // Whoever waits to read does not keep the turn (WT3).
  return read_when_ready(*turn, source, deadlines.read, &turn);
}

// The deadline is looked at between the steps, too.
Result<void> Files::write_all_in_turn(Descriptor& descriptor, std::span<const std::byte> data,
                                      Deadline deadline) {
  while (!data.empty()) {
    const Result<std::size_t> written = write_in_turn(descriptor, data, deadline);
    if (!written) return written.error();
    data = data.subspan(*written);
    if (!data.empty() && deadline.passed()) return Errc::timed_out;
  }
  return {};
}

// Writes all of it, and waits, if the write is put off, until there may be something to read.
Result<void> Files::write_and_wait(WriteTurn& turn, std::span<const std::byte> data, BufferSource& source,
                                   const ExchangeDeadlines& deadlines) {
  Descriptor& descriptor = *turn;
  WriteSlot* const slot = slot_for(*this_runner(), descriptor, data.size());
  if (slot == nullptr) {
    Result<void> written = write_all_in_turn(descriptor, data, deadlines.write);
    if (written) source.give_back();  // `data` may lie in it, and the read may have to wait
    return written;
  }
  slot->fill(descriptor, data);
  Result<void> waited;
  const WriteTicket ticket = wait_with_write(turn, deadlines.read, *slot, source, waited);
  if (ticket == 0) [[unlikely]]
    return waited ? write_all_in_turn(descriptor, data, deadlines.write) : waited;
  if (!slot->word.is_over(ticket)) [[unlikely]] {
    if (const Result<void> written = finish_write(descriptor, *slot, ticket, deadlines.write); !written)
      return written;
  }
  return waited;
}

// The wait was over before the write was made, or the write has failed or did not take all.
[[gnu::cold, gnu::noinline]] Result<void> Files::finish_write(Descriptor& descriptor, WriteSlot& slot,
                                                              WriteTicket ticket, Deadline deadline) {
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
  return write_all_in_turn(descriptor, std::span(rest).first(left.size()), deadline);
}

}  // namespace weft
