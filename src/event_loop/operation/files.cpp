// SPDX-License-Identifier: Apache-2.0
#include "event_loop/operation/files.hpp"

#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/operation/ask.hpp"
#include "event_loop/operation/file_calls.hpp"
#include "event_loop/operation/operate.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "sys/iovec.hpp"
#include "sys/socket.hpp"

#include <mutex>

namespace weft {
namespace {

Result<std::size_t> end_of_file_if_zero(Result<std::size_t> moved) noexcept {
  if (moved && *moved == 0) return Errc::end_of_file;
  return moved;
}

// A connection that a short read has emptied needs no second read to see EAGAIN, unless something else than
// data came: a read stops at the urgent mark with more behind it, and a hang-up gives no new edge (L2).
bool drained_by_short_count(const Descriptor& descriptor, Readiness::Snapshot seen, std::size_t moved,
                            std::size_t size) noexcept {
  return descriptor.kind == DescriptorKind::kStream && moved < size && !seen.unusual();
}

[[gnu::always_inline]] inline void after_read(Descriptor& descriptor, Readiness::Snapshot seen,
                                              std::size_t moved, std::size_t size) noexcept {
  // A clear that fails saw a newer edge: the direction stays ready, and that edge has woken the next waiter.
  if (drained_by_short_count(descriptor, seen, moved, size)) {
    if (descriptor.readiness.clear(seen, Direction::kRead)) return;
  }
  pass_turn(descriptor, Direction::kRead);
}

Result<DescriptorHandle> open_record(sys::Fd& fd, DescriptorKind kind, bool connecting) noexcept {
  Descriptor* const descriptor = DescriptorArena::instance().allocate(fd.get(), kind);
  if (descriptor == nullptr) return sys::error_of(ENOMEM);
  // A new descriptor counts as ready, which a socket that is still connecting is not. It is unregistered, and
  // nobody else knows it: no edge can have come.
  if (connecting) [[maybe_unused]]
    const bool cleared = descriptor->readiness.clear(descriptor->readiness.load(), Direction::kWrite);
  // The generation before open(): nobody else knows this record yet.
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  [[maybe_unused]] const int owned = fd.release();
  if (Runner* const runner = this_runner(); runner != nullptr && runner->event_loop != nullptr)
    runner->event_loop->opened(*descriptor);
  return handle;
}

// Without it no edge sets the bit that a look has cleared: a look that waits for nothing registers nothing.
bool edges_are_remembered(Descriptor& descriptor) noexcept {
  const std::scoped_lock lock(descriptor.lock);
  return descriptor.ownership == Ownership::kOwned || descriptor.ownership == Ownership::kBroadcast;
}

}  // namespace

Result<DescriptorHandle> Files::adopt(sys::Fd& fd, DescriptorKind kind) noexcept {
  return open_record(fd, kind, false);
}

Result<DescriptorHandle> Files::adopt_connecting(sys::Fd& fd, DescriptorKind kind) noexcept {
  return open_record(fd, kind, true);
}

Result<std::size_t> Files::read(DescriptorHandle handle, std::span<std::byte> buffer, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return end_of_file_if_zero(operate(
      *descriptor, Direction::kRead, deadline, [&] { return read_now(*descriptor, buffer); },
      [&](Readiness::Snapshot seen, std::size_t moved) {
        after_read(*descriptor, seen, moved, buffer.size());
      },
      [] {}));
}

Result<std::size_t> Files::read_vectored(DescriptorHandle handle, std::span<const iovec> buffers,
                                         Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const std::size_t size = sys::total_size(buffers);
  return end_of_file_if_zero(operate(
      *descriptor, Direction::kRead, deadline, [&] { return read_now(*descriptor, buffers); },
      [&](Readiness::Snapshot seen, std::size_t moved) { after_read(*descriptor, seen, moved, size); },
      [] {}));
}

Result<std::size_t> Files::read_when_ready(DescriptorHandle handle, BufferSource& source, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return read_when_ready(*descriptor, source, deadline, nullptr);
}

// Gives up `turn`, if there is one, before it waits.
Result<std::size_t> Files::read_when_ready(Descriptor& descriptor, BufferSource& source, Deadline deadline,
                                           WriteTurn* turn) {
  std::size_t size = 0;
  const auto attempt = [&] {
    const std::span<std::byte> buffer = source.take();
    size = buffer.size();
    Result<std::size_t> moved = read_now(descriptor, buffer);
    if (!moved) source.give_back();
    return moved;
  };
  const Result<std::size_t> moved = operate(
      descriptor, Direction::kRead, deadline, attempt,
      [&](Readiness::Snapshot seen, std::size_t count) { after_read(descriptor, seen, count, size); },
      [&] {
        if (turn != nullptr) turn->give_up();
      });
  if (!moved || *moved != 0) [[likely]]
    return moved;
  source.give_back();
  return size != 0 ? Result<std::size_t>(Errc::end_of_file) : moved;
}

Result<std::size_t> Files::write(DescriptorHandle handle, std::span<const std::byte> data,
                                 Deadline deadline) {
  const WriteTurn turn(handle, deadline);
  if (!turn) return turn.error();
  return write_in_turn(*turn, data, deadline);
}

Result<std::size_t> Files::write_vectored(DescriptorHandle handle, std::span<const iovec> buffers,
                                          Deadline deadline) {
  const WriteTurn turn(handle, deadline);
  if (!turn) return turn.error();
  return write_vectored_in_turn(*turn, buffers, deadline);
}

Result<std::size_t> Files::write_in_turn(Descriptor& descriptor, std::span<const std::byte> data,
                                         Deadline deadline) {
  return operate(descriptor, Direction::kWrite, deadline, [&] { return write_now(descriptor, data); });
}

Result<std::size_t> Files::write_vectored_in_turn(Descriptor& descriptor, std::span<const iovec> buffers,
                                                  Deadline deadline) {
  return operate(descriptor, Direction::kWrite, deadline, [&] { return write_now(descriptor, buffers); });
}

Result<void> Files::perform(DescriptorHandle handle, Operation& operation, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  // Result<void> has nothing to tell, so a flag stands for it in the value that operate() hands on.
  const auto attempt = [&]() -> Result<bool> {
    if (const Result<void> done = operation.attempt(*descriptor); !done) return done.error();
    return true;
  };
  const Result<bool> done = operate(*descriptor, operation.direction, deadline, attempt);
  if (!done) return done.error();
  return {};
}

Result<void> Files::try_once(DescriptorHandle handle, Operation& operation) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (!same_world(*this_runner(), *descriptor)) return Errc::unsupported;
  return operation.attempt(*descriptor);
}

Result<void> Files::wait_ready(DescriptorHandle handle, Direction direction, Deadline deadline) {
  /// The ready bit is only a hint: a new descriptor has it, and one that was read to its last byte.
  class Look final : public Operation {
   public:
    explicit Look(Direction of) noexcept : Operation(of) {}
    Result<void> attempt(Descriptor& descriptor) override { return look_now(descriptor, direction); }
  };
  Look look(direction);
  return perform(handle, look, deadline);
}

Result<bool> Files::look(Descriptor& descriptor, Direction direction) noexcept {
  if (!same_world(*this_runner(), descriptor)) return Errc::unsupported;
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (!seen.ready(direction) && edges_are_remembered(descriptor)) return false;
    const Result<void> ready = look_now(descriptor, direction);
    if (ready) return true;
    if (!sys::would_block(ready.error())) return ready.error();
    if (!seen.ready(direction)) return false;
    if (descriptor.readiness.clear(seen, direction)) return false;  // else a newer edge: look again (L3)
  }
}

Result<void> Files::shutdown(DescriptorHandle handle, int how) {
  return ask(
      handle, [&](int fd) { return sys::shutdown(fd, how); },
      [&](DescriptorBackend& backend) { return backend.shutdown(how); });
}

Result<sys::RawAddress> Files::local_address(DescriptorHandle handle) {
  return ask(
      handle, [](int fd) { return sys::local_address(fd); },
      [](DescriptorBackend& backend) { return backend.local_address(); });
}

Result<sys::RawAddress> Files::peer_address(DescriptorHandle handle) {
  return ask(
      handle, [](int fd) { return sys::peer_address(fd); },
      [](DescriptorBackend& backend) { return backend.peer_address(); });
}

}  // namespace weft
