// SPDX-License-Identifier: Apache-2.0
#include "sys/file.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weft::sys {

[[gnu::noinline]] Result<FileStatus> status_of(const char* path) noexcept {
  struct stat status {};
  const long done =
      attempt(Call::status, -1, [&](std::size_t) { return raw_answer(::lstat(path, &status)); });
  if (done < 0) return error_of(static_cast<int>(-done));
  return FileStatus{status.st_dev, status.st_ino, S_ISSOCK(status.st_mode)};
}

[[gnu::noinline]] Result<void> try_lock_file(int fd, bool shared) noexcept {
  const int operation = (shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  return void_result(
      retry(Call::file_lock, fd, [&](std::size_t) { return raw_answer(::flock(fd, operation)); }));
}

[[gnu::noinline]] Result<void> unlock_file(int fd) noexcept {
  return void_result(
      retry(Call::file_lock, fd, [&](std::size_t) { return raw_answer(::flock(fd, LOCK_UN)); }));
}

[[gnu::noinline]] Result<void> unlink(const char* path) noexcept {
  return void_result(attempt(Call::unlink, -1, [&](std::size_t) { return raw_answer(::unlink(path)); }));
}

[[gnu::noinline]] Result<void> change_mode(const char* path, std::uint32_t mode) noexcept {
  return void_result(attempt(Call::chmod, -1, [&](std::size_t) { return raw_answer(::chmod(path, mode)); }));
}

}  // namespace weft::sys
