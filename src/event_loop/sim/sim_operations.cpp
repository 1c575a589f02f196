// SPDX-License-Identifier: Apache-2.0
// The operations of the simulated loop: try, and wait only when the socket said "not now" (L2).
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/operation.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <mutex>

namespace weft {
namespace {

Result<sys::RawAddress> to_raw(const Result<SimAddress>& address) noexcept {
  if (!address) return address.error();
  return address->to_raw();
}

}  // namespace

// What belongs to this world; Errc::unsupported for the kernel's files and other worlds' sockets.
Result<SimSocket*> SimEventLoop::socket_of(Descriptor& descriptor) const noexcept {
  if (descriptor.kind != DescriptorKind::kSimulated) return Errc::unsupported;
  auto* const socket = static_cast<SimSocket*>(descriptor.backend);
  if (socket->network() != network_.get()) return Errc::unsupported;
  return socket;
}

// One operation: `attempt()`, which is made with the network's mutex, until it gives something else than
// EAGAIN; in between the fiber waits.
template <class Attempt>
auto SimEventLoop::operate(Descriptor& descriptor, Direction direction, Deadline deadline, Attempt&& attempt)
    -> decltype(attempt()) {
  if (const WaitOutcome due = end_due(*this_runner(), deadline); due != WaitOutcome::kReady) [[unlikely]]
    return result_of_outcome(due).error();
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (seen.ready(direction)) {
      std::unique_lock lock(network_->mutex);
      auto result = attempt();
      lock.unlock();
      if (result) {
        pass_turn(descriptor, direction);
        spend_budget();
        return result;
      }
      if (!sys::would_block(result.error())) {
        pass_turn(descriptor, direction);  // what we were woken for may be another's (L4)
        return result;
      }
      if (!descriptor.readiness.clear(seen, direction)) continue;  // a newer edge: try again (L3)
    }
    if (const Result<void> waited = wait(descriptor, direction, deadline); !waited) return waited.error();
  }
}

// Suspends until `direction` may be ready. Success: try again. REQUIRES: the caller is a user of the
// descriptor.
Result<void> SimEventLoop::wait(Descriptor& descriptor, Direction direction, Deadline deadline) noexcept {
  Waiter& self = this_fiber_required("waiting on a simulated socket");
  WaitNode node;
  {
    std::scoped_lock lock(descriptor.lock);
    if (descriptor.usage.closing()) return Errc::closed;
    if (descriptor.readiness.load().ready(direction)) return {};  // an edge came after the attempt (L3)
    node.waiter = &self;
    node.ticket =
        self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), waiting_for(descriptor, direction));
    add_waiter_locked(descriptor, direction, node);
  }
  ++wait_changes_;
  const WaitOutcome outcome = self.wait();
  ++wait_changes_;
  if (!won_through_list(outcome)) {
    std::scoped_lock lock(descriptor.lock);
    remove_waiter_locked(descriptor, direction, node);
  }
  return result_of_outcome(outcome);
}

Result<DescriptorHandle> SimEventLoop::open(const Result<std::shared_ptr<SimSocket>>& socket) {
  if (!socket) return socket.error();
  Descriptor* const descriptor = DescriptorArena::instance().allocate(-1, DescriptorKind::kSimulated);
  WEFT_ASSERT(descriptor != nullptr, "no memory for the descriptor of a simulated socket");
  {
    std::scoped_lock lock(network_->mutex);
    (*socket)->open_locked(*descriptor);
  }
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  return handle;
}

Result<DescriptorHandle> SimEventLoop::listen(const sys::RawAddress& address,
                                              const ListenParameters& parameters) {
  const Result<SimAddress> wanted = SimAddress::from_raw(address);
  if (!wanted) return wanted.error();
  std::unique_lock lock(network_->mutex);
  const Result<std::shared_ptr<SimSocket>> listener = network_->listen_locked(*wanted, parameters);
  lock.unlock();
  return open(listener);
}

Result<DescriptorHandle> SimEventLoop::connect(const sys::RawAddress& address, Deadline deadline) {
  const Result<SimAddress> wanted = SimAddress::from_raw(address);
  if (!wanted) return wanted.error();
  std::unique_lock lock(network_->mutex);
  const Result<std::shared_ptr<SimSocket>> client = network_->connect_locked(*wanted);
  lock.unlock();
  const Result<DescriptorHandle> handle = open(client);
  if (!handle) return handle;
  if (const Result<void> finished = finish_connect(*handle, deadline); !finished) {
    [[maybe_unused]] const Result<void> closed = close(*handle);
    return finished.error();
  }
  return handle;
}

Result<void> SimEventLoop::finish_connect(DescriptorHandle handle, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  auto& socket = static_cast<SimSocket&>(*descriptor->backend);
  return operate(*descriptor, Direction::kWrite, deadline, [&] { return socket.connect_result_locked(); });
}

// The listener is left before the new socket gets its descriptor: nothing of it is needed any more.
Result<std::shared_ptr<SimSocket>> SimEventLoop::take_pending(DescriptorHandle handle, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> listener = socket_of(*descriptor);
  if (!listener) return listener.error();
  return operate(*descriptor, Direction::kRead, deadline, [&] { return (*listener)->accept_locked(); });
}

Result<Accepted> SimEventLoop::accept(DescriptorHandle handle, Deadline deadline) {
  return open_connection(take_pending(handle, deadline));
}

Result<Accepted> SimEventLoop::try_accept(DescriptorHandle handle) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> listener = socket_of(*descriptor);
  if (!listener) return listener.error();
  std::unique_lock lock(network_->mutex);
  const Result<std::shared_ptr<SimSocket>> socket = (*listener)->accept_locked();
  lock.unlock();
  return open_connection(socket);
}

Result<Accepted> SimEventLoop::open_connection(const Result<std::shared_ptr<SimSocket>>& socket) {
  const Result<DescriptorHandle> accepted = open(socket);
  if (!accepted) return accepted.error();
  std::scoped_lock lock(network_->mutex);
  return Accepted{*accepted, (*socket)->peer_address_locked().to_raw()};
}

Result<std::size_t> SimEventLoop::read(DescriptorHandle handle, std::span<std::byte> buffer,
                                       Deadline deadline) {
  const iovec buffers = sys::to_iovec(buffer);
  return read_vectored(handle, std::span(&buffers, 1), deadline);
}

Result<std::size_t> SimEventLoop::read_when_ready(DescriptorHandle handle, BufferSource& source,
                                                  Deadline deadline) {
  if (Result<void> ready = wait_ready(handle, Direction::kRead, deadline); !ready) return ready.error();
  const std::span<std::byte> buffer = source.take();
  if (buffer.empty()) {
    source.give_back();
    return std::size_t{0};
  }
  const Result<std::size_t> moved = read(handle, buffer, deadline);
  if (!moved) source.give_back();
  return moved;
}

Result<std::size_t> SimEventLoop::read_vectored(DescriptorHandle handle, std::span<const iovec> buffers,
                                                Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> socket = socket_of(*descriptor);
  if (!socket) return socket.error();
  return end_of_file_if_zero(
      operate(*descriptor, Direction::kRead, deadline, [&] { return (*socket)->read_locked(buffers); }));
}

Result<std::size_t> SimEventLoop::write_in_turn(Descriptor& descriptor, std::span<const std::byte> data,
                                                Deadline deadline) {
  const iovec buffers = sys::to_iovec(data);
  return write_vectored_in_turn(descriptor, std::span(&buffers, 1), deadline);
}

Result<std::size_t> SimEventLoop::write_vectored_in_turn(Descriptor& descriptor,
                                                         std::span<const iovec> buffers, Deadline deadline) {
  const Result<SimSocket*> socket = socket_of(descriptor);
  if (!socket) return socket.error();
  return operate(descriptor, Direction::kWrite, deadline, [&] { return (*socket)->write_locked(buffers); });
}

Result<void> SimEventLoop::wait_ready(DescriptorHandle handle, Direction direction, Deadline deadline) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> socket = socket_of(*descriptor);
  if (!socket) return socket.error();
  return operate(*descriptor, direction, deadline, [&] { return (*socket)->ready_locked(direction); });
}

Result<bool> SimEventLoop::look(Descriptor& descriptor, Direction direction) noexcept {
  const Result<SimSocket*> socket = socket_of(descriptor);
  if (!socket) return socket.error();
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (!seen.ready(direction)) return false;
    std::unique_lock lock(network_->mutex);
    const Result<void> ready = (*socket)->ready_locked(direction);
    lock.unlock();
    if (ready) return true;
    if (!sys::would_block(ready.error())) return ready.error();
    if (descriptor.readiness.clear(seen, direction)) return false;  // else a newer edge: look again (L3)
  }
}

// Nothing has to be registered.
Result<WaitPlan> SimEventLoop::plan_watch_locked(Descriptor& descriptor) noexcept {
  const Result<SimSocket*> socket = socket_of(descriptor);
  if (!socket) return socket.error();
  return WaitPlan{};
}

Result<void> SimEventLoop::shutdown(DescriptorHandle handle, int how) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> socket = socket_of(*descriptor);
  if (!socket) return socket.error();
  std::scoped_lock lock(network_->mutex);
  return (*socket)->shutdown_locked(how);
}

Result<void> SimEventLoop::close(DescriptorHandle handle) { return close_descriptor(handle); }

Result<sys::RawAddress> SimEventLoop::local_address(DescriptorHandle handle) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> socket = socket_of(*descriptor);
  if (!socket) return socket.error();
  std::scoped_lock lock(network_->mutex);
  return to_raw((*socket)->local_locked());
}

Result<sys::RawAddress> SimEventLoop::peer_address(DescriptorHandle handle) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  const Result<SimSocket*> socket = socket_of(*descriptor);
  if (!socket) return socket.error();
  std::scoped_lock lock(network_->mutex);
  return to_raw((*socket)->peer_locked());
}

}  // namespace weft
