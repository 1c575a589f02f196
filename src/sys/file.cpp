// SPDX-License-Identifier: Apache-2.0
#include "sys/file.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace weft::sys {

[[gnu::noinline]] Result<FileStatus> status_of(const char* path) noexcept {
  struct stat status {};
  const long done =
      attempt(Call::status, -1, [&](std::size_t) { return raw_answer(::lstat(path, &status)); });
  if (done < 0) return error_of(static_cast<int>(-done));
  return FileStatus{status.st_dev, status.st_ino, S_ISSOCK(status.st_mode)};
}

namespace {

constexpr long kCachestat = 451;  // of every architecture
constexpr std::size_t kPage = 4096;

// The kernel's, which its headers do not have yet.
struct CachestatRange {
  std::uint64_t offset;
  std::uint64_t size;
};
struct Cachestat {
  std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

/// A page may be in the cache before its bytes are.
bool has_byte(int fd, std::uint64_t offset) noexcept {
  char byte = 0;
  const iovec buffer{&byte, 1};
  return ::preadv2(fd, &buffer, 1, static_cast<off_t>(offset), RWF_NOWAIT) >= 0;
}

}  // namespace

// The last byte too, as the disk is read from the first one on.
[[gnu::noinline]] bool is_in_memory(int fd, std::uint64_t offset, std::size_t size) noexcept {
  const Fault fault = intercept(Call::pread_now, fd);
  struct stat status {};
  if (fault.error != 0 || size == 0 || ::fstat(fd, &status) != 0) return false;
  const auto end_of_file = static_cast<std::uint64_t>(status.st_size);
  if (offset >= end_of_file) return false;
  const std::uint64_t end = end_of_file - offset < size ? end_of_file : offset + size;
  const CachestatRange range{offset, end - offset};
  Cachestat found{};
  if (::syscall(kCachestat, fd, &range, &found, 0) != 0) return false;
  const std::uint64_t pages = (end + kPage - 1) / kPage - offset / kPage;
  return found.cached >= pages && has_byte(fd, end - 1);
}

[[gnu::noinline]] Result<void> unlink(const char* path) noexcept {
  return void_result(attempt(Call::unlink, -1, [&](std::size_t) { return raw_answer(::unlink(path)); }));
}

[[gnu::noinline]] Result<void> change_mode(const char* path, std::uint32_t mode) noexcept {
  return void_result(attempt(Call::chmod, -1, [&](std::size_t) { return raw_answer(::chmod(path, mode)); }));
}

}  // namespace weft::sys
