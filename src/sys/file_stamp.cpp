// SPDX-License-Identifier: Apache-2.0
#include "sys/file_stamp.hpp"

#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <sys/stat.h>

namespace weft::sys {

[[gnu::noinline]] FileStamp stamp_of(const char* path) noexcept {
  struct stat status {};
  const long raw = retry(Call::status, -1, [&](std::size_t) { return raw_answer(::stat(path, &status)); });
  if (raw < 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .changed_ns = std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

}  // namespace weft::sys
