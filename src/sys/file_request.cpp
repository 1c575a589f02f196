// SPDX-License-Identifier: Apache-2.0
#include "sys/file_request.hpp"

#include "sys/iovec.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <cstdio>
#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weft::sys {
namespace {

using Kind = FileRequest::Kind;

long move_bytes(const FileRequest& request, std::size_t size_max) noexcept {
  const ShortenedBuffers buffers({request.buffers, static_cast<std::size_t>(request.count)}, size_max);
  if (request.kind == Kind::kRead)
    return raw_answer(::preadv(request.fd, buffers.data(), buffers.count(), request.offset));
  return raw_answer(::pwritev(request.fd, buffers.data(), buffers.count(), request.offset));
}

long copy_range(const FileRequest& request, std::size_t size_max) noexcept {
  loff_t from = request.offset;
  loff_t to = request.offset;
  return raw_answer(
      ::copy_file_range(request.fd, &from, request.other_fd, &to, std::min(request.size, size_max), 0));
}

long call_once(const FileRequest& request, std::size_t size_max) noexcept {
  const int flags = static_cast<int>(request.flags);
  switch (request.kind) {
    case Kind::kRead:
    case Kind::kWrite: return move_bytes(request, size_max);
    case Kind::kSync: return raw_answer(::fsync(request.fd));
    case Kind::kSyncData: return raw_answer(::fdatasync(request.fd));
    case Kind::kOpen: return raw_answer(::openat(request.fd, request.path, flags | O_CLOEXEC, request.mode));
    case Kind::kStatus:
      return raw_answer(::statx(request.fd, request.path, flags, STATX_BASIC_STATS, request.status));
    case Kind::kRename:
      return raw_answer(
          ::renameat2(request.fd, request.path, request.other_fd, request.other_path, request.flags));
    case Kind::kRemove: return raw_answer(::unlinkat(request.fd, request.path, flags));
    case Kind::kMakeDirectory: return raw_answer(::mkdirat(request.fd, request.path, request.mode));
    case Kind::kChangeMode: return raw_answer(::fchmod(request.fd, request.mode));
    case Kind::kTruncate: return raw_answer(::ftruncate(request.fd, request.offset));
    case Kind::kReadDirectory:
      return raw_answer(::getdents64(request.fd, request.buffers[0].iov_base, request.buffers[0].iov_len));
    case Kind::kTryLock: return raw_answer(::flock(request.fd, (flags != 0 ? LOCK_SH : LOCK_EX) | LOCK_NB));
    case Kind::kUnlock: return raw_answer(::flock(request.fd, LOCK_UN));
    case Kind::kRewind: return raw_answer(::lseek(request.fd, 0, SEEK_SET));
    default: return copy_range(request, size_max);
  }
}

// The kernel gives the number back whatever it says, and so does an injected failure; EINTR too, which is to
// be no reason for another attempt.
long close_once(int fd) noexcept {
  const Fault fault = intercept(Call::close, fd);
  const long raw = raw_answer(::close(fd));
  const long answer = fault.error != 0 ? -fault.error : raw;
  return answer == -EINTR ? 0 : answer;
}

}  // namespace

Call call_of(FileRequest::Kind kind) noexcept {
  switch (kind) {
    case Kind::kRead: return Call::pread;
    case Kind::kWrite: return Call::pwrite;
    case Kind::kSync:
    case Kind::kSyncData: return Call::fsync;
    case Kind::kOpen: return Call::open;
    case Kind::kStatus: return Call::status;
    case Kind::kRename: return Call::rename;
    case Kind::kRemove: return Call::unlink;
    case Kind::kMakeDirectory: return Call::make_directory;
    case Kind::kClose: return Call::close;
    case Kind::kChangeMode: return Call::chmod;
    case Kind::kTruncate: return Call::truncate;
    case Kind::kRewind:
    case Kind::kReadDirectory: return Call::read_directory;
    case Kind::kTryLock:
    case Kind::kUnlock: return Call::file_lock;
    default: return Call::copy_range;
  }
}

[[gnu::noinline]] long call(const FileRequest& request) noexcept {
  if (request.kind == Kind::kClose) return close_once(request.fd);
  return attempt(call_of(request.kind), request.fd,
                 [&](std::size_t size_max) { return call_once(request, size_max); });
}

[[gnu::noinline]] long read_now(const FileRequest& request) noexcept {
  return attempt(Call::pread_now, request.fd, [&](std::size_t size_max) {
    const ShortenedBuffers buffers({request.buffers, static_cast<std::size_t>(request.count)}, size_max);
    return raw_answer(::preadv2(request.fd, buffers.data(), buffers.count(), request.offset, RWF_NOWAIT));
  });
}

}  // namespace weft::sys
