// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/counters.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/net/address.hpp>
#include <weft/net/datagram.hpp>
#include <weft/net/datagram_batch.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::net {

/// Options for UdpSocket::bind() and connect().
struct UdpOptions {
  /// SO_REUSEADDR: several sockets of this machine may have the same address and port. Each gets what is sent
  /// to a multicast group. Of all other datagrams one of the sockets gets everything.
  bool reuse_address = false;
  /// SO_REUSEPORT: several sockets share the port. The kernel spreads the senders over them.
  bool reuse_port = false;
  /// A socket at an IPv6 address takes IPv6 only.
  bool v6_only = false;
  /// Datagrams to a broadcast address may be sent; otherwise EACCES.
  bool broadcast = false;
  /// Receiving tells the address that a datagram was sent to, and the interface (IP_PKTINFO).
  bool arrival_address = false;
  /// Receiving tells the traffic class, with its ECN bits.
  bool traffic_class = false;
  /// The kernel may join datagrams of one sender and size that come together (GRO): receiving gives up to
  /// 65,535 bytes at once and tells `segment_size`. Errc::unsupported if the kernel cannot.
  bool coalesce = false;
  /// The name of the interface that the socket is bound to, such as "eth0"; empty: all. May need a privilege
  /// (EPERM). ENODEV if there is no such interface. Errc::unsupported in a simulation.
  std::string device = {};
};

/// A UDP socket. It sends and receives datagrams: messages that arrive whole or not at all, in any order,
/// perhaps twice.
///
///     auto socket = weft::net::UdpSocket::bind("127.0.0.1:0").value();
///     char buffer[1500];
///     auto request = socket.receive_from(buffer).value();
///     socket.send_to(std::span(buffer).first(request.size), request.from).value();
///
/// Suspension: receiving suspends the calling fiber, and only it, while nothing has come; sending, while the
/// kernel has no room.
///
/// Errors: the kernel's (category system); Errc::closed if the socket is closed before or during the call;
/// Errc::cancelled if the fiber is cancelled; Errc::timed_out if the deadline of an `_until` form passes. No
/// datagram is lost by these: a call has taken a datagram and returns it, or has left it in the kernel. What
/// the network reports comes once, from one call that receives or sends: ECONNREFUSED on a connected socket
/// means that nobody receives at the peer's port. The socket stays usable after it. EMSGSIZE: a datagram is
/// too great to be sent. ENOBUFS, ENETUNREACH, EPERM (a firewall): this datagram was not sent.
///
/// An empty datagram is a value of size 0. There is no end of file.
///
/// Deadlines: as those of StreamSocket. A datagram that is there already is received even after the deadline.
///
/// Thread safety: several fibers, of any contexts, may receive and send at once; each datagram goes to one of
/// the receivers. close() may be called meanwhile: the calls of other fibers fail with Errc::closed. Moving
/// and destroying require exclusive access. A socket must be used in a fiber; it may be destroyed anywhere.
///
/// select() takes it: `readable(socket, f)`, `writable(socket, f)`.
class UdpSocket final {
 public:
  /// A socket that is closed: every call fails with Errc::closed.
  UdpSocket() noexcept = default;
  UdpSocket(UdpSocket&& other) noexcept
      : handle_(other.handle_.take()), v6_(other.v6_), marked_(other.marked_) {}
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  /// Closes the socket.
  ~UdpSocket();

  /// Receives at `address`, from everybody. Port 0 selects a free port. A socket at `[::]` takes both
  /// families, unless `v6_only`; its IPv4 peers have mapped addresses. On a system without IPv6 it is bound
  /// to `0.0.0.0`. Does not suspend. Errors: EADDRINUSE, EACCES, EADDRNOTAVAIL, EMFILE, and others of
  /// bind(2); those of the options.
  static Result<UdpSocket> bind(const SocketAddress& address, const UdpOptions& options = {});
  /// At "host:service": "127.0.0.1:53", ":53", "localhost:domain". If the host is a name, its first address
  /// is used, IPv4 before IPv6, and the call suspends until the name is resolved. Errors: also
  /// Errc::invalid_address, and those of Resolver::resolve().
  static Result<UdpSocket> bind(std::string_view address, const UdpOptions& options = {});
  /// A socket at a free port that talks to `peer` only: send() and receive() need no address, and only such a
  /// socket is told that nobody receives there. No packet is sent. Does not suspend. Errors: ENETUNREACH and
  /// others of connect(2).
  static Result<UdpSocket> connect(const SocketAddress& peer, const UdpOptions& options = {});
  /// To "host:service", "example.org:ntp". If the host is a name, the call suspends until it is resolved; the
  /// peer is its first address that this system has a route to. Errors as of bind().
  static Result<UdpSocket> connect(std::string_view peer, const UdpOptions& options = {});

  /// Adopts a UDP socket, for example one of listen_fds(). This object owns `fd` from now on. Sets FD_CLOEXEC
  /// and O_NONBLOCK; the second applies to every process that shares the socket. Does not suspend. Errors:
  /// EBADF, ENOTSOCK, EPROTOTYPE (not a datagram socket), EAFNOSUPPORT (neither IPv4 nor IPv6),
  /// Errc::unsupported in a simulation. On an error the caller still owns `fd`.
  static Result<UdpSocket> adopt(int fd);

  /// Makes `peer` the only peer of this socket, or another one than before. Datagrams that are queued already
  /// stay. Does not suspend.
  Result<void> set_peer(const SocketAddress& peer);
  /// Takes the peer away. The socket keeps its port.
  Result<void> clear_peer();

  /// Receives a datagram. An empty buffer takes one, too: all of it is cut off.
  Result<ReceivedDatagram> receive_from(MutableBuffer buffer) {
    return receive_from_until(buffer, Deadline::never());
  }
  Result<ReceivedDatagram> receive_from_until(MutableBuffer buffer, Deadline deadline);
  /// The same with several buffers, which are filled in order: at most 16, the others are not used.
  Result<ReceivedDatagram> receive_from_until(std::span<const std::span<std::byte>> buffers,
                                              Deadline deadline);

  /// Sends `data` as one datagram. EMSGSIZE if it is too great: nothing was sent then.
  Result<void> send_to(ConstBuffer data, const SocketAddress& to, const DatagramSendOptions& options = {}) {
    return send_to_until(data, to, Deadline::never(), options);
  }
  Result<void> send_to_until(ConstBuffer data, const SocketAddress& to, Deadline deadline,
                             const DatagramSendOptions& options = {});
  /// The same to the peer of a connected socket. EDESTADDRREQ if it has none.
  Result<void> send(ConstBuffer data, const DatagramSendOptions& options = {}) {
    return send_until(data, Deadline::never(), options);
  }
  Result<void> send_until(ConstBuffer data, Deadline deadline, const DatagramSendOptions& options = {});
  /// The header and the payload of one datagram, for example: at most 16 buffers, EINVAL if there are more.
  Result<void> send_to_until(std::span<const std::span<const std::byte>> buffers, const SocketAddress& to,
                             Deadline deadline, const DatagramSendOptions& options = {});

  /// Receives the datagrams that are there, at least one, at most as many as `batch` has room for, by one
  /// system call. Returns their number. On an error `batch` is empty.
  Result<std::size_t> receive_batch(ReceiveBatch& batch) {
    return receive_batch_until(batch, Deadline::never());
  }
  Result<std::size_t> receive_batch_until(ReceiveBatch& batch, Deadline deadline);
  /// Sends the datagrams of `batch` in order, by one system call if there is room. What was sent is no longer
  /// in the batch. An error is that of the first datagram that is left, which was not sent: go on with
  /// drop_first(), or try again. An empty batch is a success.
  Result<void> send_batch(SendBatch& batch) { return send_batch_until(batch, Deadline::never()); }
  Result<void> send_batch_until(SendBatch& batch, Deadline deadline);

  /// Suspends until receiving, or sending, would probably not have to wait.
  Result<void> wait_readable(Deadline deadline = Deadline::never());
  Result<void> wait_writable(Deadline deadline = Deadline::never());

  /// Receives what is sent to a multicast group. `interface_index` 0: the kernel chooses the interface by its
  /// routes. EINVAL if it is no multicast address of the socket's family, EADDRINUSE if it is a member
  /// already, ENODEV if there is no such interface.
  Result<void> join_group(const IpAddress& group, std::uint32_t interface_index = 0);
  /// EADDRNOTAVAIL if it is no member.
  Result<void> leave_group(const IpAddress& group, std::uint32_t interface_index = 0);
  /// Whether this machine gets what is sent to a group. On by default.
  Result<void> set_multicast_loop(bool on);
  /// How many routers what is sent to a group may pass: 0 to 255. 1 by default: it stays in the local
  /// network.
  Result<void> set_multicast_hops(int hops);
  /// The interface that multicast leaves by; 0: as the routes say.
  Result<void> set_multicast_interface(std::uint32_t interface_index);

  /// What every datagram of the socket is marked with.
  Result<void> set_traffic_class(TrafficClass traffic_class);
  /// How many routers a datagram may pass: 1 to 255.
  Result<void> set_hops(int hops);
  /// Sizes in bytes. The kernel doubles the given size, within its limits, and the getters return the doubled
  /// size. EINVAL if negative.
  Result<void> set_send_buffer_size(int bytes);
  Result<void> set_receive_buffer_size(int bytes);
  Result<int> send_buffer_size() const;
  Result<int> receive_buffer_size() const;
  /// Whether DatagramSendOptions::segment_size works here.
  bool can_segment() const;

  Result<SocketAddress> local_address() const;
  /// ENOTCONN if the socket has no peer.
  Result<SocketAddress> peer_address() const;

  /// Closes the socket. Calls of other fibers fail with Errc::closed. Suspends until those calls have
  /// returned. What was received and not read is lost. Errc::closed if it was closed before.
  Result<void> close();
  bool is_open() const noexcept;
  Result<DescriptorCounters> counters() const;
  /// The file descriptor's number, for system calls that weft does not offer, or -1 if closed or in a
  /// simulation. The socket still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  UdpSocket(weft::detail::DescriptorHandle handle, bool v6) noexcept : handle_(handle), v6_(v6) {}
  weft::detail::DescriptorHandle descriptor() const noexcept { return handle_; }
  Result<void> apply(const UdpOptions& options);
  Result<void> set_both(int v4_name, int v6_name, int value);
  Result<void> change_group(bool join, const IpAddress& group, std::uint32_t interface_index);

  weft::detail::DescriptorHandle handle_;
  bool v6_ = false;
  bool marked_ = false;  // the kernel tells something beside the sender
};

}  // namespace weft::net
