// SPDX-License-Identifier: Apache-2.0
#include "sys/io.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/iovec.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

namespace weft::sys {

[[gnu::noinline]] Result<std::size_t> read(int fd, std::span<std::byte> buffer) noexcept {
  return size_result(retry(Call::read, fd, [&](std::size_t size_max) {
    return raw_read(fd, buffer.data(), std::min(buffer.size(), size_max));
  }));
}

[[gnu::noinline]] Result<std::size_t> write(int fd, std::span<const std::byte> data) noexcept {
  return size_result(retry(Call::write, fd, [&](std::size_t size_max) {
    return raw_write(fd, data.data(), std::min(data.size(), size_max));
  }));
}

[[gnu::noinline]] Result<std::size_t> read_vectored(int fd, std::span<const iovec> buffers) noexcept {
  return size_result(retry(Call::read, fd, [&](std::size_t size_max) {
    const ShortenedBuffers shortened(buffers, size_max);
    return raw_answer(::readv(fd, shortened.data(), shortened.count()));
  }));
}

[[gnu::noinline]] Result<std::size_t> write_vectored(int fd, std::span<const iovec> buffers) noexcept {
  return size_result(retry(Call::write, fd, [&](std::size_t size_max) {
    const ShortenedBuffers shortened(buffers, size_max);
    return raw_answer(::writev(fd, shortened.data(), shortened.count()));
  }));
}

namespace {

[[gnu::noinline]] long raw_fcntl(int fd, int command, int argument) noexcept {
  return retry(Call::fcntl, fd, [&](std::size_t) { return raw_answer(::fcntl(fd, command, argument)); });
}

/// Sets or clears one flag, and spends no second call when it already stands right.
Result<void> change_flag(int fd, int get, int set, int flag, bool on) noexcept {
  const long flags = raw_fcntl(fd, get, 0);
  if (flags < 0) return void_result(flags);
  const int wanted = on ? static_cast<int>(flags) | flag : static_cast<int>(flags) & ~flag;
  if (wanted == flags) return {};
  return void_result(raw_fcntl(fd, set, wanted));
}

FileKind kind_of(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileKind::kRegular;
    case S_IFDIR: return FileKind::kDirectory;
    case S_IFSOCK: return FileKind::kSocket;
    case S_IFIFO: return FileKind::kFifo;
    case S_IFCHR: return FileKind::kCharacterDevice;
    case S_IFBLK: return FileKind::kBlockDevice;
    default: return FileKind::kOther;  // anonymous inodes: epoll, eventfd, signalfd
  }
}

}  // namespace

Result<bool> is_nonblocking(int fd) noexcept {
  const long flags = raw_fcntl(fd, F_GETFL, 0);
  if (flags < 0) return error_of(static_cast<int>(-flags));
  return (flags & O_NONBLOCK) != 0;
}

Result<void> set_nonblocking(int fd, bool on) noexcept {
  return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

Result<void> set_close_on_exec(int fd, bool on) noexcept {
  return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

Result<Fd> duplicate(int fd) noexcept {
  const long copy = raw_fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return error_of(static_cast<int>(-copy));
  return Fd(static_cast<int>(copy));
}

// F_DUPFD_QUERY is Linux's since 6.10, kcmp() may be forbidden in a container. Both compare what is open, not
// what it is called: two eventfds share an inode.
bool same_file(int fd, int other) noexcept {
  constexpr int kDupfdQuery = 1027;  // F_DUPFD_QUERY, which older headers do not have
  constexpr int kKcmpFile = 0;       // KCMP_FILE
  const long answer = raw_fcntl(fd, kDupfdQuery, other);
  if (answer >= 0) return answer == 1;
  if (answer != -EINVAL) return false;
  const long process = ::getpid();
  return ::syscall(SYS_kcmp, process, process, kKcmpFile, fd, other) == 0;
}

[[gnu::noinline]] Result<FileKind> file_kind(int fd) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return error_of(errno);
  const FileKind kind = kind_of(status.st_mode);
  if (kind == FileKind::kCharacterDevice && ::isatty(fd) == 1) return FileKind::kTerminal;
  return kind;
}

[[gnu::noinline]] Result<Fd> open(const char* path, int flags, unsigned mode) noexcept {
  const long fd =
      retry(Call::open, -1, [&](std::size_t) { return raw_answer(::open(path, flags | O_CLOEXEC, mode)); });
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return Fd(static_cast<int>(fd));
}

Result<std::string> read_text_file(const char* path) {
  constexpr std::size_t kSizeMax = 1 << 20;
  const Result<Fd> file = open(path, O_RDONLY);
  if (!file) return file.error();
  std::string text;
  for (char chunk[4096];;) {
    const Result<std::size_t> size = read(file->get(), std::as_writable_bytes(std::span(chunk)));
    if (!size) return size.error();
    if (*size == 0) return text;
    text.append(chunk, *size);
    if (text.size() > kSizeMax) return error_of(EFBIG);
  }
}

}  // namespace weft::sys
