// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short names for what fibers do with sockets, for tests of the operations and of both networks. All are
// called by fibers.

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/network.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/sim/sim_address.hpp"
#include "sys/errors.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace weft::test {

/// The error of the kernel by that number.
inline std::error_code kernel(int error) { return sys::error_of(error); }

inline SimAddress v4(std::initializer_list<std::uint8_t> ip, std::uint16_t port) {
  SimAddress address;
  std::copy(ip.begin(), ip.end(), address.ip.begin());
  return address.with_port(port);
}
inline SimAddress localhost(std::uint16_t port) { return v4({127, 0, 0, 1}, port); }
inline SimAddress v6_any(std::uint16_t port) {
  SimAddress address;
  address.v6 = true;
  return address.with_port(port);
}

inline SimAddress address_of(const sys::RawAddress& raw) { return SimAddress::from_raw(raw).value(); }

/// One socket of a network; closed by close() only.
struct SimHandle {
  Network* network;
  DescriptorHandle handle;

  Result<std::size_t> write(std::string_view text, Deadline deadline = {}) const {
    return Files::write(handle, std::as_bytes(std::span(text.data(), text.size())), deadline);
  }
  /// Until all is written, or an error.
  std::error_code write_all(std::string_view text) const {
    while (!text.empty()) {
      const Result<std::size_t> size = write(text);
      if (!size) return size.error();
      text.remove_prefix(*size);
    }
    return {};
  }
  /// What one read gives.
  Result<std::string> read(std::size_t size_max = 4096, Deadline deadline = {}) const {
    std::string text(size_max, '\0');
    const Result<std::size_t> size =
        Files::read(handle, std::as_writable_bytes(std::span(text.data(), text.size())), deadline);
    if (!size) return size.error();
    text.resize(*size);
    return text;
  }
  /// Until there are `size` bytes, or the stream ends.
  std::string read_exact(std::size_t size) const {
    std::string all;
    while (all.size() < size) {
      const Result<std::string> text = read(size - all.size());
      if (!text) break;
      all += *text;
    }
    return all;
  }
  Result<SimHandle> accept(Deadline deadline = {}) const {
    const Result<Accepted> accepted = network->accept(handle, deadline);
    if (!accepted) return accepted.error();
    return SimHandle{network, accepted->handle};
  }
  Result<void> shutdown(int how) const { return Files::shutdown(handle, how); }
  Result<void> close() const { return close_descriptor(handle); }
  SimAddress local() const { return address_of(Files::local_address(handle).value()); }
  SimAddress peer() const { return address_of(Files::peer_address(handle).value()); }
};

inline Result<SimHandle> listen(Network& network, const SimAddress& address,
                                ListenParameters parameters = {}) {
  const Result<DescriptorHandle> handle = network.listen(address.to_raw(), parameters);
  if (!handle) return handle.error();
  return SimHandle{&network, *handle};
}
/// In the world of `loop`, which has one of its own.
inline Result<SimHandle> listen(EventLoop& loop, const SimAddress& address,
                                ListenParameters parameters = {}) {
  return listen(*loop.network(), address, parameters);
}

inline Result<SimHandle> connect(Network& network, const SimAddress& address, Deadline deadline = {}) {
  const Result<DescriptorHandle> handle = network.connect(address.to_raw(), deadline);
  if (!handle) return handle.error();
  return SimHandle{&network, *handle};
}
inline Result<SimHandle> connect(EventLoop& loop, const SimAddress& address, Deadline deadline = {}) {
  return connect(*loop.network(), address, deadline);
}

/// Both ends of a connection, made by the calling fiber alone.
struct SimPair {
  SimHandle client;
  SimHandle server;

  explicit SimPair(EventLoop& loop, std::uint16_t port = 7000) {
    const SimHandle listener = listen(loop, localhost(port)).value();
    client = connect(loop, localhost(port)).value();
    server = listener.accept().value();
    EXPECT_TRUE(listener.close());
  }
  void close() const {
    EXPECT_TRUE(client.close());
    EXPECT_TRUE(server.close());
  }
};

}  // namespace weft::test
