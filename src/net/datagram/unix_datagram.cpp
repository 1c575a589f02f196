// SPDX-License-Identifier: Apache-2.0
#include <weft/net/unix_datagram.hpp>

#include "event_loop/operation/datagrams.hpp"
#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/datagram/passing.hpp"
#include "net/stale_socket.hpp"
#include "net/unix_sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <algorithm>

namespace weft::net {
namespace {

/// How long a sender waits for another socket's room before it looks whether its own was closed.
constexpr std::int64_t kLookAgainNs = 50'000'000;

/// A message of one buffer.
struct OnePiece {
  explicit OnePiece(std::span<std::byte> buffer) noexcept : piece(sys::to_iovec(buffer)) { link(); }
  explicit OnePiece(std::span<const std::byte> data) noexcept : piece(sys::to_iovec(data)) { link(); }
  OnePiece(const OnePiece&) = delete;
  OnePiece& operator=(const OnePiece&) = delete;
  void link() noexcept {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  }

  iovec piece;
  msghdr message{};
};

Result<ReceivedUnixDatagram> receive_piece(DescriptorHandle handle, MutableBuffer buffer, OnePiece& piece,
                                           Deadline deadline) {
  sys::RawAddress from;
  piece.message.msg_name = from.data();
  piece.message.msg_namelen = *from.size_for_fill();
  constexpr int kFlags = MSG_TRUNC | MSG_CMSG_CLOEXEC;
  const Result<std::size_t> full_size = Datagrams::receive(handle, piece.message, kFlags, deadline);
  if (!full_size) return full_size.error();
  *from.size_for_fill() = piece.message.msg_namelen;
  ReceivedUnixDatagram received;
  received.full_size = *full_size;
  received.size = std::min(*full_size, buffer.size());
  // Of an unnamed sender the kernel gives no address.
  if (piece.message.msg_namelen != 0) received.from = unix_from_raw(from).value_or(UnixAddress());
  return received;
}

/// Waits until the socket at `to` has room: the kernel tells only those that have it as their peer.
Result<void> wait_for_room(Network& network, const sys::RawAddress& to, Deadline deadline) {
  DatagramParameters parameters;
  parameters.family = AF_UNIX;
  parameters.peer = to;
  const Result<DescriptorHandle> watch = network.open_datagram(parameters);
  if (!watch) return watch.error();
  const Deadline slice = std::min(deadline, Deadline::after_ns(kLookAgainNs));
  const Result<void> room = Files::wait_ready(*watch, Direction::kWrite, slice);
  io::close_if_open(*watch);
  const bool looks_again = room.error() == Errc::timed_out && !deadline.passed();
  return looks_again ? Result<void>() : room;
}

}  // namespace

UnixDatagram& UnixDatagram::operator=(UnixDatagram&& other) noexcept {
  if (this == &other) return *this;
  file_.remove();
  io::transfer(handle_, other.handle_);
  file_ = std::move(other.file_);
  return *this;
}

UnixDatagram::~UnixDatagram() {
  file_.remove();
  io::close_if_open(handle_);
}

Result<UnixDatagram> UnixDatagram::bind(const UnixAddress& address, const UnixDatagramOptions& options) {
  Network& network = network_here("UnixDatagram::bind()");
  const auto failed = [&](std::error_code error) {
    return weft::detail::failure_about(error, "receiving at", address.to_string());
  };
  if (address.is_unnamed()) return failed(make_error_code(Errc::invalid_address));
  const bool has_file = address.is_path() && this_runner()->network == nullptr;
  DatagramParameters parameters;
  parameters.family = AF_UNIX;
  parameters.local = to_raw(address);
  parameters.mode = has_file ? options.mode : std::nullopt;
  Result<DescriptorHandle> handle = network.open_datagram(parameters);
  if (!handle && has_file && options.replace_stale && sys::is_errno(handle.error(), EADDRINUSE)) {
    remove_stale_socket(address, SOCK_DGRAM);
    handle = network.open_datagram(parameters);
  }
  if (!handle) return failed(handle.error());
  UnixDatagram socket(*handle);
  if (has_file) socket.file_ = weft::detail::SocketFile(std::string(address.name()));
  return socket;
}

Result<UnixDatagram> UnixDatagram::bind(std::string_view address, const UnixDatagramOptions& options) {
  const Result<UnixAddress> parsed = UnixAddress::parse(address);
  if (!parsed) return weft::detail::failure_about(parsed.error(), "receiving at", address);
  return bind(*parsed, options);
}

Result<UnixDatagram> UnixDatagram::connect(const UnixAddress& peer) {
  Network& network = network_here("UnixDatagram::connect()");
  if (peer.is_unnamed()) return weft::detail::failure_about(Errc::invalid_address, "sending to", "unnamed");
  DatagramParameters parameters;
  parameters.family = AF_UNIX;
  parameters.peer = to_raw(peer);
  const Result<DescriptorHandle> handle = network.open_datagram(parameters);
  if (!handle) return weft::detail::failure_about(handle.error(), "sending to", peer.to_string());
  return UnixDatagram(*handle);
}

Result<UnixDatagram> UnixDatagram::connect(std::string_view peer) {
  const Result<UnixAddress> parsed = UnixAddress::parse(peer);
  if (!parsed) return weft::detail::failure_about(parsed.error(), "sending to", peer);
  return connect(*parsed);
}

Result<UnixDatagramPair> UnixDatagram::pair() {
  const Result<DescriptorPair> pair = network_here("UnixDatagram::pair()").make_datagram_pair();
  if (!pair) return pair.error();
  UnixDatagramPair made;
  made.first = UnixDatagram(pair->first);
  made.second = UnixDatagram(pair->second);
  return made;
}

Result<void> UnixDatagram::set_peer(const UnixAddress& peer) {
  require_fiber("UnixDatagram::set_peer()");
  if (peer.is_unnamed()) return Errc::invalid_address;
  return Datagrams::name_peer(handle_, to_raw(peer));
}

Result<ReceivedUnixDatagram> UnixDatagram::receive_from_until(MutableBuffer buffer, Deadline deadline) {
  require_fiber("receive_from() of a UnixDatagram");
  OnePiece piece{std::span<std::byte>(buffer)};
  return receive_piece(handle_, buffer, piece, deadline);
}

Result<ReceivedUnixDatagram> UnixDatagram::receive_with_files(MutableBuffer buffer, PassedFiles& files,
                                                              Deadline deadline) {
  require_fiber("receive_with_files() of a UnixDatagram");
  OnePiece piece{std::span<std::byte>(buffer)};
  FilesControl control;
  weft::detail::FilesAccess::make_ready(files, control, piece.message);
  const Result<ReceivedUnixDatagram> received = receive_piece(handle_, buffer, piece, deadline);
  if (received) weft::detail::FilesAccess::collect(files, piece.message);
  return received;
}

Result<void> UnixDatagram::send_to_until(ConstBuffer data, const UnixAddress& to, Deadline deadline) {
  Network& network = network_here("send_to() of a UnixDatagram");
  if (to.is_unnamed()) return Errc::invalid_address;
  sys::RawAddress raw = to_raw(to);
  OnePiece piece{std::span<const std::byte>(data)};
  piece.message.msg_name = raw.data();
  piece.message.msg_namelen = raw.size();
  for (;;) {
    const Result<bool> sent = Datagrams::send_or_full(handle_, piece.message, deadline);
    if (!sent) return sent.error();
    if (*sent) return {};
    // "Not now" may also mean that this socket holds all that it may.
    if (auto own = Files::wait_ready(handle_, Direction::kWrite, deadline); !own) return own;
    if (auto room = wait_for_room(network, raw, deadline); !room) return room;
  }
}

Result<void> UnixDatagram::send_until(ConstBuffer data, Deadline deadline) {
  return send_with_files(data, {}, deadline);
}

Result<void> UnixDatagram::send_with_files(ConstBuffer data, std::span<const int> files, Deadline deadline) {
  require_fiber("send() of a UnixDatagram");
  OnePiece piece{std::span<const std::byte>(data)};
  FilesControl control;
  if (const Result<void> added = add_files(files, control, piece.message); !added) return added;
  const Result<std::size_t> sent = Datagrams::send(handle_, piece.message, deadline);
  return sent ? Result<void>() : sent.error();
}

Result<void> UnixDatagram::wait_readable(Deadline deadline) {
  require_fiber("wait_readable() of a UnixDatagram");
  return Files::wait_ready(handle_, Direction::kRead, deadline);
}

Result<void> UnixDatagram::wait_writable(Deadline deadline) {
  require_fiber("wait_writable() of a UnixDatagram");
  return Files::wait_ready(handle_, Direction::kWrite, deadline);
}

Result<void> UnixDatagram::set_send_buffer_size(int bytes) {
  if (bytes < 0) return sys::error_of(EINVAL);
  return Datagrams::set_option(handle_, SOL_SOCKET, SO_SNDBUF, bytes);
}

Result<UnixAddress> UnixDatagram::local_address() const {
  require_fiber("UnixDatagram::local_address()");
  const Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return unix_from_raw(*raw);
}

Result<UnixAddress> UnixDatagram::peer_address() const {
  require_fiber("UnixDatagram::peer_address()");
  const Result<sys::RawAddress> raw = Files::peer_address(handle_);
  if (!raw) return raw.error();
  return unix_from_raw(*raw);
}

Result<void> UnixDatagram::close() {
  file_.remove();
  return io::close_once(handle_);
}

bool UnixDatagram::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

int UnixDatagram::native_handle() const noexcept { return io::number_of(handle_); }

}  // namespace weft::net
