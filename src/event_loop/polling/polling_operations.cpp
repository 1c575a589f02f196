// SPDX-License-Identifier: Apache-2.0
// The operations of a polling loop: try, and wait only when the kernel said "not now" (L2).
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/operation.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/polling/read_policy.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"
#include "sys/poll.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

namespace weft {
namespace {

// The number is the record's to close if this succeeds.
Result<DescriptorHandle> open_record(int fd, DescriptorKind kind) noexcept {
  Descriptor* const descriptor = DescriptorArena::instance().allocate(fd, kind);
  if (descriptor == nullptr) return sys::error_of(ENOMEM);
  // The generation before open(): nobody else knows this record yet.
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  return handle;
}

Result<DescriptorHandle> open_descriptor(sys::Fd fd, DescriptorKind kind) noexcept {
  Result<DescriptorHandle> handle = open_record(fd.get(), kind);
  if (handle) [[maybe_unused]]
    const int owned = fd.release();
  return handle;
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

Result<bool> look_whether_ready(int fd, Direction direction) noexcept {
  Result<bool> ready =
      sys::poll_now(fd, direction == Direction::kRead ? POLLIN | POLLRDHUP | POLLPRI : POLLOUT);
  if (ready && !*ready) return sys::error_of(EAGAIN);
  return ready;
}

}  // namespace

// One operation: `attempt(fd)` is made until it gives something else than EAGAIN; in between the fiber waits.
// `succeeded(seen, result)` is told what the readiness was before the attempt that had success, before_wait()
// when the fiber is about to wait.
template <class Attempt, class Succeeded, class BeforeWait>
[[gnu::always_inline]] inline auto PollingEventLoop::operate(Descriptor& descriptor, Direction direction,
                                                             Deadline deadline, Attempt&& attempt,
                                                             Succeeded&& succeeded, BeforeWait&& before_wait)
    -> decltype(attempt(0)) {
  Runner* runner = this_runner();
  if (const WaitOutcome due = end_due(*runner, deadline); due != WaitOutcome::kReady) [[unlikely]]
    return result_of_outcome(due).error();
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (seen.ready(direction)) {
      auto result = attempt(descriptor.fd);
      if (result) [[likely]] {
        succeeded(seen, *result);
        spend_budget(*runner);
        return result;
      }
      if (!sys::would_block(result.error())) [[unlikely]] {
        pass_turn(descriptor, direction);  // what we were woken for may be another's (L4)
        return result;
      }
      if (!descriptor.readiness.clear(seen, direction)) continue;  // a newer edge: try again (L3)
    }
    before_wait();
    if (const Result<void> waited = wait(descriptor, direction, deadline); !waited) [[unlikely]]
      return waited.error();
    runner = this_runner();  // the fiber may have come to another thread
  }
}

template <class Attempt, class Succeeded>
auto PollingEventLoop::operate(Descriptor& descriptor, Direction direction, Deadline deadline,
                               Attempt&& attempt, Succeeded&& succeeded) -> decltype(attempt(0)) {
  return operate(descriptor, direction, deadline, attempt, succeeded, [] {});
}

Result<std::size_t> PollingEventLoop::read(DescriptorHandle handle, std::span<std::byte> buffer,
                                           Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return end_of_file_if_zero(operate(
      *descriptor, Direction::kRead, deadline, [&](int fd) { return sys::recv(fd, buffer); },
      [&](Readiness::Snapshot seen, std::size_t moved) {
        after_read(*descriptor, seen, moved, buffer.size());
      }));
}

Result<std::size_t> PollingEventLoop::read_vectored(DescriptorHandle handle, std::span<const iovec> buffers,
                                                    Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const std::size_t size = sys::total_size(buffers);
  return end_of_file_if_zero(operate(
      *descriptor, Direction::kRead, deadline, [&](int fd) { return sys::recv_vectored(fd, buffers); },
      [&](Readiness::Snapshot seen, std::size_t moved) { after_read(*descriptor, seen, moved, size); }));
}

Result<std::size_t> PollingEventLoop::read_when_ready(DescriptorHandle handle, BufferSource& source,
                                                      Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return read_when_ready(*descriptor, source, deadline, nullptr);
}

Result<std::size_t> PollingEventLoop::read_when_ready(Descriptor& descriptor, BufferSource& source,
                                                      Deadline deadline, WriteTurn* turn) {
  std::size_t size = 0;
  const auto attempt = [&](int fd) {
    const std::span<std::byte> buffer = source.take();
    size = buffer.size();
    Result<std::size_t> moved = sys::recv(fd, buffer);
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

Result<std::size_t> PollingEventLoop::write_in_turn(Descriptor& descriptor, std::span<const std::byte> data,
                                                    Deadline deadline) {
  return operate(
      descriptor, Direction::kWrite, deadline, [&](int fd) { return sys::send(fd, data); },
      [&](Readiness::Snapshot, std::size_t) { pass_turn(descriptor, Direction::kWrite); });
}

Result<std::size_t> PollingEventLoop::write_vectored_in_turn(Descriptor& descriptor,
                                                             std::span<const iovec> buffers,
                                                             Deadline deadline) {
  return operate(
      descriptor, Direction::kWrite, deadline, [&](int fd) { return sys::send_vectored(fd, buffers); },
      [&](Readiness::Snapshot, std::size_t) { pass_turn(descriptor, Direction::kWrite); });
}

Result<Accepted> PollingEventLoop::accept(DescriptorHandle handle, Deadline deadline) {
  DescriptorUse listener(handle);
  if (!listener) return Errc::closed;
  sys::RawAddress peer;
  Result<sys::Fd> fd = operate(
      *listener, Direction::kRead, deadline, [&](int listening) { return sys::accept(listening, &peer); },
      [&](Readiness::Snapshot, const sys::Fd&) { pass_turn(*listener, Direction::kRead); });
  return opened_connection(std::move(fd), peer);
}

// What it takes is nobody's turn: a waiter that was woken for it finds nothing, and waits again.
Result<Accepted> PollingEventLoop::try_accept(DescriptorHandle handle) {
  DescriptorUse listener(handle);
  if (!listener) return Errc::closed;
  sys::RawAddress peer;
  Result<sys::Fd> fd = sys::accept(listener->fd, &peer);
  return opened_connection(std::move(fd), peer);
}

Result<Accepted> PollingEventLoop::opened_connection(Result<sys::Fd> fd,
                                                     const sys::RawAddress& peer) noexcept {
  if (!fd) return fd.error();
  Result<DescriptorHandle> accepted = open_descriptor(std::move(*fd), stream_kind());
  if (!accepted) return accepted.error();
  opened(*accepted->descriptor);
  return Accepted{*accepted, peer};
}

Result<DescriptorHandle> PollingEventLoop::listen(const sys::RawAddress& address,
                                                  const ListenParameters& parameters) {
  Result<sys::Fd> fd = sys::create_socket(address.family(), SOCK_STREAM);
  if (!fd) return fd.error();
  if (auto set = sys::set_reuse_address(fd->get(), true); !set) return set.error();
  if (parameters.reuse_port) {
    if (auto set = sys::set_reuse_port(fd->get(), true); !set) return set.error();
  }
  if (address.family() == AF_INET6) {  // IPv4 too, whatever the system's default is
    if (auto set = sys::set_v6_only(fd->get(), false); !set) return set.error();
  }
  // Accepted sockets inherit it: one syscall for all of them.
  if (auto set = sys::set_no_delay(fd->get(), true); !set) return set.error();
  if (auto bound = sys::bind(fd->get(), address); !bound) return bound.error();
  if (auto listening = sys::listen(fd->get(), parameters.backlog); !listening) return listening.error();
  Result<DescriptorHandle> listener = open_descriptor(std::move(*fd), DescriptorKind::kListener);
  if (listener) opened(*listener->descriptor);
  return listener;
}

Result<DescriptorHandle> PollingEventLoop::adopt_listener(int fd) {
  Result<DescriptorHandle> listener = open_record(fd, DescriptorKind::kListener);
  if (listener) opened(*listener->descriptor);
  return listener;
}

Result<DescriptorHandle> PollingEventLoop::connect(const sys::RawAddress& address, Deadline deadline) {
  Result<sys::Fd> fd = sys::create_socket(address.family(), SOCK_STREAM);
  if (!fd) return fd.error();
  if (auto set = sys::set_no_delay(fd->get(), true); !set) return set.error();
  const Result<bool> connected = sys::connect(fd->get(), address);
  if (!connected) return connected.error();
  Result<DescriptorHandle> handle = open_descriptor(std::move(*fd), stream_kind());
  if (!handle) return handle;
  if (*connected) {
    opened(*handle->descriptor);
    return handle;
  }
  if (auto finished = finish_connect(*handle, deadline); !finished) {
    [[maybe_unused]] const Result<void> closed = close(*handle);
    return finished.error();
  }
  return handle;
}

// The socket becomes writable when the connection is made or has failed; SO_ERROR says which.
Result<void> PollingEventLoop::finish_connect(DescriptorHandle handle, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  // A new descriptor counts as ready, which a socket that is still connecting is not. It is unregistered, and
  // nobody else knows it: no edge can have come.
  [[maybe_unused]] const bool cleared =
      descriptor->readiness.clear(descriptor->readiness.load(), Direction::kWrite);
  opened(*descriptor);
  while (!descriptor->readiness.load().ready(Direction::kWrite)) {
    if (auto waited = wait(*descriptor, Direction::kWrite, deadline); !waited) return waited.error();
  }
  return sys::connect_result(descriptor->fd);
}

Result<void> PollingEventLoop::wait_ready(DescriptorHandle handle, Direction direction, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  // The ready bit is only a hint: a new descriptor has it, and one that was read to its last byte.
  Result<bool> ready = operate(
      *descriptor, direction, deadline, [&](int fd) { return look_whether_ready(fd, direction); },
      // Nothing was taken: whoever else waits may look too (L4).
      [&](Readiness::Snapshot, bool) { pass_turn(*descriptor, direction); });
  if (!ready) return ready.error();
  return {};
}

Result<bool> PollingEventLoop::look(Descriptor& descriptor, Direction direction) noexcept {
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (!seen.ready(direction)) return false;
    const Result<bool> ready = look_whether_ready(descriptor.fd, direction);
    if (ready || !sys::would_block(ready.error())) return ready;
    if (descriptor.readiness.clear(seen, direction)) return false;  // else a newer edge: look again (L3)
  }
}

Result<void> PollingEventLoop::shutdown(DescriptorHandle handle, int how) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return sys::shutdown(descriptor->fd, how);
}

Result<void> PollingEventLoop::close(DescriptorHandle handle) { return close_descriptor(handle); }

Result<sys::RawAddress> PollingEventLoop::local_address(DescriptorHandle handle) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return sys::local_address(descriptor->fd);
}

Result<sys::RawAddress> PollingEventLoop::peer_address(DescriptorHandle handle) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  return sys::peer_address(descriptor->fd);
}

}  // namespace weft
