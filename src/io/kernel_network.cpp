// SPDX-License-Identifier: Apache-2.0
#include "io/kernel_network.hpp"

#include <weft/this_fiber.hpp>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/polling/read_policy.hpp"
#include "io/kernel_datagram.hpp"
#include "sys/errors.hpp"
#include "sys/file.hpp"
#include "sys/pipe.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <sys/un.h>

namespace weft {
namespace {

constexpr std::int64_t kRoomPauseFirstNs = 1'000'000;
constexpr std::int64_t kRoomPauseMaxNs = 50'000'000;

class Accept final : public Operation {
 public:
  Accept() noexcept : Operation(Direction::kRead) {}
  Result<void> attempt(Descriptor& descriptor) override {
    Result<sys::Fd> accepted = sys::accept(descriptor.fd, &peer);
    if (!accepted) return accepted.error();
    connection = std::move(*accepted);
    return {};
  }

  sys::Fd connection;
  sys::RawAddress peer;
};

/// The socket becomes writable when the connection is made or has failed; SO_ERROR says which.
class FinishConnect final : public Operation {
 public:
  FinishConnect() noexcept : Operation(Direction::kWrite) {}
  Result<void> attempt(Descriptor& descriptor) override { return sys::connect_result(descriptor.fd); }
};

bool is_ip(int family) noexcept { return family == AF_INET || family == AF_INET6; }

DescriptorKind kind_of(int family) noexcept {
  return is_ip(family) ? stream_kind() : DescriptorKind::kSocket;
}

Result<void> prepare_ip_listener(int fd, int family, bool reuse_port) noexcept {
  if (auto set = sys::set_reuse_address(fd, true); !set) return set;
  if (reuse_port) {
    if (auto set = sys::set_reuse_port(fd, true); !set) return set;
  }
  if (family == AF_INET6) {  // IPv4 too, whatever the system's default is
    if (auto set = sys::set_v6_only(fd, false); !set) return set;
  }
  // Accepted sockets inherit it: one syscall for all of them.
  return sys::set_no_delay(fd, true);
}

Result<Accepted> open_accepted(Accept& accept, Result<void> done) noexcept {
  if (!done) return done.error();
  // Of the same family as its listener, which is that of its peer, also of an unnamed one.
  const Result<DescriptorHandle> handle = Files::adopt(accept.connection, kind_of(accept.peer.family()));
  if (!handle) return handle.error();
  return Accepted{*handle, accept.peer};
}

/// The file of a Unix socket's path; null: it has none.
const char* file_of(const sockaddr_un& address, const sys::RawAddress& raw) noexcept {
  return raw.family() == AF_UNIX && address.sun_path[0] != '\0' ? address.sun_path : nullptr;
}

/// What is done with a socket that is bound. Before it listens nobody can have connected, with whatever
/// permissions.
Result<DescriptorHandle> listen_at(sys::Fd& fd, const char* file,
                                   const ListenParameters& parameters) noexcept {
  if (file != nullptr && parameters.mode) {
    if (auto set = sys::change_mode(file, *parameters.mode); !set) return set.error();
  }
  if (auto listening = sys::listen(fd.get(), parameters.backlog); !listening) return listening.error();
  return Files::adopt(fd, DescriptorKind::kListener);
}

class KernelNetwork final : public Network {
 public:
  Result<DescriptorHandle> listen(const sys::RawAddress& address,
                                  const ListenParameters& parameters) override {
    Result<sys::Fd> fd = sys::create_socket(address.family(), SOCK_STREAM);
    if (!fd) return fd.error();
    if (is_ip(address.family())) {
      if (auto done = prepare_ip_listener(fd->get(), address.family(), parameters.reuse_port); !done)
        return done.error();
    }
    if (auto bound = sys::bind(fd->get(), address); !bound) return bound.error();
    const auto local = address.as<sockaddr_un>();
    const char* const file = file_of(local, address);
    Result<DescriptorHandle> handle = listen_at(*fd, file, parameters);
    if (!handle && file != nullptr) [[maybe_unused]]
      const Result<void> removed = sys::unlink(file);  // nobody listens there
    return handle;
  }

  Result<DescriptorHandle> connect(const sys::RawAddress& address, Deadline deadline) override {
    Result<sys::Fd> fd = sys::create_socket(address.family(), SOCK_STREAM);
    if (!fd) return fd.error();
    if (is_ip(address.family())) {
      if (auto set = sys::set_no_delay(fd->get(), true); !set) return set.error();
    }
    const Result<bool> connected = begin_connect(fd->get(), address, deadline);
    if (!connected) return connected.error();
    const DescriptorKind kind = kind_of(address.family());
    if (*connected) return Files::adopt(*fd, kind);
    const Result<DescriptorHandle> handle = Files::adopt_connecting(*fd, kind);
    if (!handle) return handle;
    FinishConnect finish;
    if (const Result<void> done = Files::perform(*handle, finish, deadline); !done) {
      [[maybe_unused]] const Result<void> closed = close_descriptor(*handle);
      return done.error();
    }
    return handle;
  }

  Result<Accepted> accept(DescriptorHandle handle, Deadline deadline) override {
    Accept accept;
    const Result<void> done = Files::perform(handle, accept, deadline);
    return open_accepted(accept, done);
  }

  Result<Accepted> try_accept(DescriptorHandle handle) override {
    Accept accept;
    const Result<void> done = Files::try_once(handle, accept);
    return open_accepted(accept, done);
  }

  Result<DescriptorPair> make_socket_pair() override {
    Result<sys::SocketPair> pair = sys::create_socket_pair(SOCK_STREAM);
    if (!pair) return pair.error();
    return adopt_both(pair->first, pair->second, DescriptorKind::kSocket);
  }

  Result<DescriptorPair> make_pipe() override {
    Result<sys::Pipe> pipe = sys::create_pipe();
    if (!pipe) return pipe.error();
    return adopt_both(pipe->read_end, pipe->write_end, DescriptorKind::kOther);
  }

  Result<DescriptorHandle> open_datagram(const DatagramParameters& parameters) override {
    Result<sys::Fd> fd = io::create_datagram_socket(parameters);
    if (!fd) return fd.error();
    return Files::adopt(*fd, DescriptorKind::kSocket);
  }

  Result<DescriptorPair> make_datagram_pair() override {
    Result<sys::SocketPair> pair = sys::create_socket_pair(SOCK_DGRAM);
    if (!pair) return pair.error();
    return adopt_both(pair->first, pair->second, DescriptorKind::kSocket);
  }

 private:
  // A Unix socket whose listener has a full backlog gives EAGAIN, and no event when there is room: it is
  // asked again. Success: whether it is connected already.
  static Result<bool> begin_connect(int fd, const sys::RawAddress& address, Deadline deadline) {
    for (std::int64_t pause_ns = kRoomPauseFirstNs;; pause_ns = std::min(pause_ns * 2, kRoomPauseMaxNs)) {
      const Result<bool> connected = sys::connect(fd, address);
      if (connected || is_ip(address.family()) || !sys::is_errno(connected.error(), EAGAIN)) return connected;
      if (auto paused = sleep_until(std::min(Deadline::after_ns(pause_ns), deadline)); !paused)
        return paused.error();
      if (deadline.passed()) return Errc::timed_out;
    }
  }

  static Result<DescriptorPair> adopt_both(sys::Fd& first, sys::Fd& second, DescriptorKind kind) noexcept {
    const Result<DescriptorHandle> one = Files::adopt(first, kind);
    if (!one) return one.error();
    const Result<DescriptorHandle> other = Files::adopt(second, kind);
    if (other) return DescriptorPair{*one, *other};
    [[maybe_unused]] const Result<void> closed = close_descriptor(*one);
    return other.error();
  }
};

constinit KernelNetwork network;

}  // namespace

Network& kernel_network() noexcept { return network; }

}  // namespace weft
