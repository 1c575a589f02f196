// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sockets for tests of the event loop: one end is a descriptor that fibers use, the other a plain file
// descriptor of the test's own thread.

#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "fiber/runner.hpp"
#include "support/gate.hpp"
#include "sys/errors.hpp"
#include "sys/fd.hpp"
#include "sys/io.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>
#include <netinet/in.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace weft::test {

/// The event loop of the calling fiber.
inline EventLoop& loop() { return *this_runner()->event_loop; }

inline DescriptorHandle adopt(sys::Fd fd, DescriptorKind kind) {
  Descriptor* const descriptor = DescriptorArena::instance().allocate(fd.release(), kind);
  const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
  descriptor->usage.open();
  return handle;
}

/// A descriptor under test. Operations: by fibers. What looks in: any thread.
struct Near {
  DescriptorHandle handle;

  Result<std::string> read(std::size_t size_max = 4096, Deadline deadline = {}) const {
    std::string text(size_max, '\0');
    const Result<std::size_t> size = Files::read(handle, std::as_writable_bytes(std::span(text)), deadline);
    if (!size) return size.error();
    text.resize(*size);
    return text;
  }
  /// Up to `size` bytes; shorter if the deadline passes or the stream ends.
  std::string read_exact(std::size_t size, Deadline deadline = Deadline::after(kPatience)) const {
    std::string all;
    while (all.size() < size) {
      const Result<std::string> more = read(size - all.size(), deadline);
      if (!more) break;
      all += *more;
    }
    return all;
  }
  Result<std::size_t> write(std::string_view text, Deadline deadline = {}) const {
    return Files::write(handle, std::as_bytes(std::span(text)), deadline);
  }
  /// Writes until it has to wait, and then waits; why that ended.
  std::error_code write_until_it_fails(Deadline deadline = {}) const {
    const std::string block(1 << 16, 'w');
    for (;;) {
      if (auto written = write(block, deadline); !written) return written.error();
    }
  }
  /// Fills the buffer without waiting. Not through the loop alone: a deadline that has passed also ends a
  /// write that need not wait, when the fiber has had its turn.
  void fill() const {
    const std::string block(1 << 16, 'w');
    while (fd() >= 0 && sys::send(fd(), std::as_bytes(std::span(block)))) {}
    for (int i = 0; i < 2; ++i) EXPECT_EQ(write_until_it_fails(Deadline::after_ns(0)), Errc::timed_out);
  }
  Result<void> close() const { return close_descriptor(handle); }

  // -- looking in
  bool awaited(Direction direction) const {
    const std::scoped_lock lock(handle.descriptor->lock);
    return !handle.descriptor->waiters_of(direction).empty();
  }
  void until_awaited(Direction direction) const {
    eventually([&] { return awaited(direction); }, "a fiber that waits on the descriptor");
  }
  LoopId owner() const {
    const std::scoped_lock lock(handle.descriptor->lock);
    return handle.descriptor->ownership == Ownership::kOwned ? handle.descriptor->owner : LoopId{};
  }
  DescriptorCounters counters() const {
    const std::scoped_lock lock(handle.descriptor->lock);
    return handle.descriptor->counters;
  }
  int fd() const { return handle.descriptor->fd; }
};

/// The end of the test's thread. Not counted as a call of weft's.
struct Far {
  sys::Fd fd;

  void send(std::string_view text, int flags = 0) const {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), flags | MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// Waits for at least one byte.
  std::string receive(std::size_t size_max = 4096) const {
    std::string text(size_max, '\0');
    ssize_t size = -1;
    eventually([&] { return (size = ::recv(fd.get(), text.data(), text.size(), MSG_DONTWAIT)) >= 0; },
               "data");
    text.resize(static_cast<std::size_t>(size));
    return text;
  }
  /// Takes all there is.
  void drain() const {
    std::string text(1 << 16, '\0');
    while (::recv(fd.get(), text.data(), text.size(), MSG_DONTWAIT) > 0) {}
  }
  void finish_sending() const { ASSERT_EQ(::shutdown(fd.get(), SHUT_WR), 0); }
  /// Closes with a reset.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    fd.reset();
  }
};

struct Connection {
  Near near;
  Far far;
};

inline sockaddr_in loopback(std::uint16_t port = 0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline sys::RawAddress address_of(const sys::Fd& fd) { return sys::local_address(fd.get()).value(); }

/// A listening socket of the kernel's.
inline sys::Fd listening_socket(int backlog = 16) {
  sys::Fd listener = sys::create_socket(AF_INET, SOCK_STREAM).value();
  sys::bind(listener.get(), sys::RawAddress(loopback())).value();
  sys::listen(listener.get(), backlog).value();
  return listener;
}

/// Connected at once, or in the background.
inline Far connect_to(const sys::RawAddress& address) {
  sys::Fd client = sys::create_socket(AF_INET, SOCK_STREAM).value();
  EXPECT_TRUE(sys::connect(client.get(), address));
  return Far{std::move(client)};
}

/// A TCP connection over loopback.
inline Connection tcp_connection() {
  const sys::Fd listener = listening_socket();
  Far far = connect_to(address_of(listener));
  Result<sys::Fd> near = sys::error_of(EAGAIN);
  eventually([&] { return (near = sys::accept(listener.get())).has_value(); }, "a connection");
  return {Near{adopt(std::move(*near), DescriptorKind::kStream)}, std::move(far)};
}

/// Two Unix sockets.
inline Connection unix_connection() {
  sys::SocketPair pair = sys::create_socket_pair(SOCK_STREAM).value();
  return {Near{adopt(std::move(pair.first), DescriptorKind::kSocket)}, Far{std::move(pair.second)}};
}

}  // namespace weft::test
