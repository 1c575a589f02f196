// SPDX-License-Identifier: Apache-2.0
#include <weft/detail/socket_file.hpp>

#include "base/fork_count.hpp"
#include "net/stale_socket.hpp"
#include "net/unix_sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/file.hpp"
#include "sys/socket.hpp"

namespace weft {
namespace detail {

SocketFile::SocketFile(std::string path) {
  const Result<sys::FileStatus> made = sys::status_of(path.c_str());
  if (!made) return;
  path_ = std::move(path);
  process_ = fork_count;
  device_ = made->device;
  inode_ = made->inode;
}

void SocketFile::remove() noexcept {
  const std::string path = std::exchange(path_, {});
  if (path.empty() || process_ != fork_count) return;
  const Result<sys::FileStatus> now = sys::status_of(path.c_str());
  if (!now || now->device != device_ || now->inode != inode_) return;
  [[maybe_unused]] const Result<void> removed = sys::unlink(path.c_str());
}

}  // namespace detail

namespace net {

// Nobody is there: a connection is refused. Whoever binds at the same time may be removed; as everywhere,
// there is no way to ask and replace in one step.
void remove_stale_socket(const UnixAddress& address, int type) noexcept {
  const std::string path(address.name());
  const Result<sys::FileStatus> status = sys::status_of(path.c_str());
  if (!status || !status->is_socket) return;
  const Result<sys::Fd> probe = sys::create_socket(AF_UNIX, type);
  if (!probe) return;
  const Result<bool> connected = sys::connect(probe->get(), to_raw(address));
  if (connected || !sys::is_errno(connected.error(), ECONNREFUSED)) return;
  [[maybe_unused]] const Result<void> removed = sys::unlink(path.c_str());
}

}  // namespace net
}  // namespace weft
