// SPDX-License-Identifier: Apache-2.0
#pragma once

// One request to a file system, whoever carries it out: FileRing without a thread that waits, call() on a
// thread that may block.

#include "sys/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <sys/uio.h>

struct statx;

namespace weft::sys {

struct FileRequest {
  enum class Kind : std::uint8_t {
    kRead,           ///< into `buffers` at `offset`
    kWrite,          ///< `buffers` at `offset`
    kSync,           ///< fsync
    kSyncData,       ///< fdatasync
    kOpen,           ///< `path` with `flags` and `mode`; close-on-exec
    kStatus,         ///< of `path` with `flags` (AT_...), or of `fd` with AT_EMPTY_PATH, into `status`
    kRename,         ///< `path` to `other_path` with `flags` (RENAME_...)
    kRemove,         ///< `path` with `flags` (AT_REMOVEDIR)
    kMakeDirectory,  ///< `path` with `mode`
    kClose,          ///< `fd`, for good whatever the answer
    kChangeMode,     ///< `fd` gets the permissions `mode`
    kTruncate,       ///< `fd` to `offset` bytes
    kReadDirectory,  ///< the next entries of `fd` (getdents64) into `buffers[0]`
    kTryLock,        ///< flock without waiting; `flags` not 0: together with others
    kUnlock,         ///< flock
    kRewind,         ///< the names of `fd` from the first one on
    kCopyRange,      ///< from `fd` at `offset` to `other_fd` at the same offset, `size` bytes
  };

  Kind kind;
  int fd = AT_FDCWD;
  int other_fd = AT_FDCWD;
  unsigned flags = 0;
  unsigned mode = 0;
  int count = 0;
  const iovec* buffers = nullptr;
  std::int64_t offset = 0;
  std::size_t size = 0;
  const char* path = "";
  const char* other_path = nullptr;
  struct statx* status = nullptr;
};

/// What is injected for it.
Call call_of(FileRequest::Kind kind) noexcept;

/// Makes the system call, and waits for it; not again on EINTR. The kernel's answer: a count, a descriptor or
/// 0, or a negated errno. Faults are injected.
long call(const FileRequest& request) noexcept;

/// A read that does not wait for the disk. -EAGAIN: it would have to. -EOPNOTSUPP: this file system cannot
/// say. Also the kernel's other answers.
long read_now(const FileRequest& request) noexcept;

}  // namespace weft::sys
