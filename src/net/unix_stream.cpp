// SPDX-License-Identifier: Apache-2.0
#include <weft/net/unix_stream.hpp>

#include "event_loop/operation/datagrams.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/datagram/passing.hpp"
#include "net/unix_sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"
#include "sys/socket_options.hpp"

namespace weft::net {
namespace {

constexpr int kPeerProcess = 77;  // SO_PEERPIDFD, which is newer than some C libraries

}  // namespace

Result<UnixStream> UnixStream::connect(const UnixAddress& address, Deadline deadline) {
  Network& network = network_here("UnixStream::connect()");
  if (address.is_unnamed())
    return weft::detail::failure_about(Errc::invalid_address, "connecting to", "unnamed");
  const Result<DescriptorHandle> handle = network.connect(to_raw(address), deadline);
  if (!handle) return weft::detail::failure_about(handle.error(), "connecting to", address.to_string());
  return UnixStream(*handle);
}

Result<UnixStream> UnixStream::connect(std::string_view address, Deadline deadline) {
  const Result<UnixAddress> parsed = UnixAddress::parse(address);
  if (!parsed) return weft::detail::failure_about(parsed.error(), "connecting to", address);
  return connect(*parsed, deadline);
}

Result<UnixStreamPair> UnixStream::pair() {
  const Result<DescriptorPair> pair = network_here("UnixStream::pair()").make_socket_pair();
  if (!pair) return pair.error();
  UnixStreamPair made;
  made.first = UnixStream(pair->first);
  made.second = UnixStream(pair->second);
  return made;
}

Result<UnixAddress> UnixStream::local_address() const {
  require_fiber("UnixStream::local_address()");
  const Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return unix_from_raw(*raw);
}

Result<UnixAddress> UnixStream::peer_address() const {
  require_fiber("UnixStream::peer_address()");
  const Result<sys::RawAddress> raw = Files::peer_address(handle_);
  if (!raw) return raw.error();
  return unix_from_raw(*raw);
}

std::string UnixStream::peer_name() const {
  const Result<UnixAddress> peer = peer_address();
  return peer ? peer->to_string() : std::string();
}

Result<PeerCredentials> UnixStream::peer_credentials() const {
  const Result<ucred> peer = io::with_fd(handle_, [](int fd) { return sys::peer_credentials(fd); });
  if (!peer) return peer.error();
  return PeerCredentials{peer->pid, peer->uid, peer->gid};
}

Result<io::FileDescriptor> UnixStream::peer_process() const {
  const Result<int> fd =
      io::with_fd(handle_, [](int of) { return sys::get_option(of, SOL_SOCKET, kPeerProcess); });
  if (sys::is_errno(fd.error(), ENOPROTOOPT)) return Errc::unsupported;
  if (!fd) return fd.error();
  return io::FileDescriptor(*fd);
}

Result<std::size_t> UnixStream::send_with_files(ConstBuffer data, std::span<const int> files,
                                                Deadline deadline) {
  require_fiber("send_with_files() of a UnixStream");
  if (data.empty()) return sys::error_of(EINVAL);
  iovec piece = sys::to_iovec(std::span<const std::byte>(data));
  FilesControl control;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (const Result<void> added = add_files(files, control, message); !added) return added.error();
  const WriteTurn turn(handle_, deadline);
  if (!turn) return turn.error();
  return Datagrams::send_in_turn(*turn, message, deadline);
}

Result<std::size_t> UnixStream::receive_with_files(MutableBuffer buffer, PassedFiles& files,
                                                   Deadline deadline) {
  require_fiber("receive_with_files() of a UnixStream");
  FilesControl control;
  msghdr message{};
  weft::detail::FilesAccess::make_ready(files, control, message);
  if (buffer.empty()) return std::size_t{0};
  iovec piece = sys::to_iovec(std::span<std::byte>(buffer));
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const Result<std::size_t> size = Datagrams::receive(handle_, message, MSG_CMSG_CLOEXEC, deadline);
  if (!size) return size;
  weft::detail::FilesAccess::collect(files, message);
  if (*size == 0) return Errc::end_of_file;
  return size;
}

}  // namespace weft::net
