// SPDX-License-Identifier: Apache-2.0
#include "net/datagram/passing.hpp"

#include "sys/errors.hpp"

#include <algorithm>
#include <cstring>

namespace weft {
namespace net {

// Room for all is taken now: nothing can fail while files come.
PassedFiles::PassedFiles(std::size_t capacity) : capacity_(std::min(capacity, kFilesMax)) {
  files_.reserve(capacity_);
}

void PassedFiles::clear() noexcept {
  files_.clear();
  truncated_ = false;
}

Result<void> add_files(std::span<const int> files, FilesControl& room, msghdr& message) noexcept {
  if (files.empty()) return {};
  if (files.size() > PassedFiles::kFilesMax) return sys::error_of(EINVAL);
  sys::ControlWriter control(room.bytes);
  control.add_bytes(SOL_SOCKET, SCM_RIGHTS, std::as_bytes(files));
  control.give_to(message);
  return {};
}

}  // namespace net

namespace detail {

// Not CMSG_SPACE: in the room that it adds for alignment the kernel would put one more file.
void FilesAccess::make_ready(net::PassedFiles& files, net::FilesControl& control, msghdr& message) noexcept {
  files.clear();
  if (files.capacity() == 0) return;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_LEN(files.capacity() * sizeof(int));
}

void FilesAccess::collect(net::PassedFiles& files, const msghdr& message) noexcept {
  sys::for_each_control(message, [&](int level, int type, std::span<const std::byte> value) {
    if (level != SOL_SOCKET || type != SCM_RIGHTS) return;
    for (; value.size() >= sizeof(int); value = value.subspan(sizeof(int))) {
      io::FileDescriptor file(sys::control_value<int>(value));
      if (files.files_.size() < files.capacity_) files.files_.push_back(std::move(file));
    }
  });
  files.truncated_ = (message.msg_flags & MSG_CTRUNC) != 0;
}

}  // namespace detail

}  // namespace weft
