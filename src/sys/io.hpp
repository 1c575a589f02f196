// SPDX-License-Identifier: Apache-2.0
#pragma once

// What any kind of file descriptor can do. Reads return 0 at the end of the file, as the kernel does; EINTR
// is retried; a non-blocking descriptor that is not ready gives EAGAIN (`would_block`).

#include "sys/fd.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <sys/uio.h>

namespace weft::sys {

Result<std::size_t> read(int fd, std::span<std::byte> buffer) noexcept;
Result<std::size_t> write(int fd, std::span<const std::byte> data) noexcept;
/// At most IOV_MAX (1024) buffers are used; more are left for the next call.
Result<std::size_t> read_vectored(int fd, std::span<const iovec> buffers) noexcept;
Result<std::size_t> write_vectored(int fd, std::span<const iovec> buffers) noexcept;

Result<bool> is_nonblocking(int fd) noexcept;
/// Changes the open file description, which other processes may share (L11).
Result<void> set_nonblocking(int fd, bool on) noexcept;
Result<void> set_close_on_exec(int fd, bool on) noexcept;
/// Another number for the same open file description, close-on-exec.
Result<Fd> duplicate(int fd) noexcept;

/// Whether both numbers stand for the same open file description. False, too, if the kernel does not tell.
bool same_file(int fd, int other) noexcept;

/// What a descriptor refers to; decides whether it can be polled and how it is read.
enum class FileKind {
  kRegular,
  kDirectory,
  kSocket,
  kFifo,
  kTerminal,
  kCharacterDevice,
  kBlockDevice,
  kOther
};
Result<FileKind> file_kind(int fd) noexcept;

/// open(2) with O_CLOEXEC added.
Result<Fd> open(const char* path, int flags, unsigned mode = 0) noexcept;
/// The whole text of a small file such as those in /proc. At most 1 MiB, else EFBIG.
Result<std::string> read_text_file(const char* path);

}  // namespace weft::sys
