// SPDX-License-Identifier: Apache-2.0
// What fibers of a simulated world open: sockets and pipes get their descriptors.
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/sim/sim_network.hpp"
#include "sys/errors.hpp"

#include <mutex>

namespace weft {
namespace {

SimSocket& socket_of(const Descriptor& descriptor) noexcept {
  return static_cast<SimSocket&>(*descriptor.backend);
}

class Accept final : public Operation {
 public:
  explicit Accept(std::mutex& mutex) noexcept : Operation(Direction::kRead), mutex_(mutex) {}

  Result<void> attempt(Descriptor& descriptor) override {
    const std::scoped_lock lock(mutex_);
    Result<std::shared_ptr<SimSocket>> taken = socket_of(descriptor).accept_locked();
    if (!taken) return taken.error();
    connection = std::move(*taken);
    return {};
  }

  std::shared_ptr<SimSocket> connection;

 private:
  std::mutex& mutex_;
};

class Connect final : public Operation {
 public:
  explicit Connect(std::mutex& mutex) noexcept : Operation(Direction::kWrite), mutex_(mutex) {}

  Result<void> attempt(Descriptor& descriptor) override {
    const std::scoped_lock lock(mutex_);
    return socket_of(descriptor).connect_result_locked();
  }

 private:
  std::mutex& mutex_;
};

}  // namespace

Result<DescriptorHandle> SimNetwork::open(const Result<std::shared_ptr<SimSocket>>& socket) {
  if (!socket) return socket.error();
  Descriptor* const descriptor = DescriptorArena::instance().allocate(-1, DescriptorKind::kSimulated);
  WEFT_ASSERT(descriptor != nullptr, "no memory for the descriptor of a simulated socket");
  {
    const std::scoped_lock lock(mutex);
    (*socket)->open_locked(*descriptor);
  }
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  return handle;
}

Result<DescriptorHandle> SimNetwork::listen(const sys::RawAddress& address,
                                            const ListenParameters& parameters) {
  const Result<SimAddress> wanted = SimAddress::from_raw(address);
  if (!wanted) return wanted.error();
  std::unique_lock lock(mutex);
  const Result<std::shared_ptr<SimSocket>> listener = listen_locked(*wanted, parameters);
  lock.unlock();
  return open(listener);
}

Result<DescriptorHandle> SimNetwork::connect(const sys::RawAddress& address, Deadline deadline) {
  const Result<SimAddress> wanted = SimAddress::from_raw(address);
  if (!wanted) return wanted.error();
  std::unique_lock lock(mutex);
  const Result<std::shared_ptr<SimSocket>> client = connect_locked(*wanted);
  lock.unlock();
  const Result<DescriptorHandle> handle = open(client);
  if (!handle) return handle;
  Connect connected(mutex);
  if (const Result<void> done = Files::perform(*handle, connected, deadline); !done) {
    [[maybe_unused]] const Result<void> closed = close_descriptor(*handle);
    return done.error();
  }
  return handle;
}

// The listener is left before the new socket gets its descriptor: nothing of it is needed any more.
Result<Accepted> SimNetwork::accept(DescriptorHandle handle, Deadline deadline) {
  Accept accept(mutex);
  if (const Result<void> done = Files::perform(handle, accept, deadline); !done) return done.error();
  return open_accepted(accept.connection);
}

Result<Accepted> SimNetwork::try_accept(DescriptorHandle handle) {
  Accept accept(mutex);
  if (const Result<void> done = Files::try_once(handle, accept); !done) return done.error();
  return open_accepted(accept.connection);
}

Result<Accepted> SimNetwork::open_accepted(const Result<std::shared_ptr<SimSocket>>& socket) {
  const Result<DescriptorHandle> accepted = open(socket);
  if (!accepted) return accepted.error();
  const std::scoped_lock lock(mutex);
  return Accepted{*accepted, (*socket)->peer_address_locked().to_raw()};
}

Result<DescriptorPair> SimNetwork::make_pair(SimTransport transport) {
  SimAddress unnamed;
  unnamed.local = true;
  std::shared_ptr<SimSocket> ends[2];
  {
    const std::scoped_lock lock(mutex);
    if (open_count_ + 2 > descriptors_max_) return sys::error_of(EMFILE);
    for (std::shared_ptr<SimSocket>& end : ends)
      end = std::make_shared<SimSocket>(shared_from_this(), transport, SimSocket::State::kConnected, unnamed,
                                        unnamed, 0);
    ends[0]->join_locked(*ends[1]);
  }
  return DescriptorPair{open(ends[0]).value(), open(ends[1]).value()};
}

Result<DescriptorPair> SimNetwork::make_socket_pair() { return make_pair(SimTransport::kUnix); }
Result<DescriptorPair> SimNetwork::make_pipe() { return make_pair(SimTransport::kPipe); }

}  // namespace weft
