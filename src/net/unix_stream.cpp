// SPDX-License-Identifier: Apache-2.0
#include <weft/net/unix_stream.hpp>

#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/unix_sockaddr.hpp"
#include "sys/socket_options.hpp"

namespace weft::net {

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

}  // namespace weft::net
