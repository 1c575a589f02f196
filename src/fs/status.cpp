// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/status.hpp>

#include "fs/file_core.hpp"
#include "fs/perform.hpp"
#include "fs/stat_request.hpp"
#include "sys/errors.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace weft::fs {
namespace {

constexpr std::int64_t kNsOfSecond = 1'000'000'000;

FileType type_of_mode(unsigned mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileType::kRegular;
    case S_IFDIR: return FileType::kDirectory;
    case S_IFLNK: return FileType::kSymlink;
    case S_IFIFO: return FileType::kFifo;
    case S_IFSOCK: return FileType::kSocket;
    case S_IFCHR: return FileType::kCharacterDevice;
    case S_IFBLK: return FileType::kBlockDevice;
    default: return FileType::kUnknown;
  }
}

std::int64_t ns_of(const statx_timestamp& time) noexcept {
  return time.tv_sec * kNsOfSecond + static_cast<std::int64_t>(time.tv_nsec);
}

FileStatus status_from(const struct statx& raw) noexcept {
  return {.type = type_of_mode(raw.stx_mode),
          .mode = raw.stx_mode & 07777u,
          .size = raw.stx_size,
          .allocated = raw.stx_blocks * 512,
          .links = raw.stx_nlink,
          .user = raw.stx_uid,
          .group = raw.stx_gid,
          .device = makedev(raw.stx_dev_major, raw.stx_dev_minor),
          .inode = raw.stx_ino,
          .modified_ns = ns_of(raw.stx_mtime),
          .changed_ns = ns_of(raw.stx_ctime)};
}

}  // namespace

Result<FileStatus> status_of(sys::FileRequest request, Deadline deadline) {
  struct statx raw {};
  request.status = &raw;
  const Result<std::size_t> done = perform(request, deadline);
  if (!done) return done.error();
  return status_from(raw);
}

FileType type_of_entry(unsigned char d_type) noexcept {
  return type_of_mode(static_cast<unsigned>(d_type) << 12);
}

Result<FileStatus> status(std::string_view path, Links links, Deadline deadline) {
  const Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), "looking at", path);
  const unsigned flags = links == Links::kFollow ? 0 : AT_SYMLINK_NOFOLLOW;
  return named(
      status_of({.kind = sys::FileRequest::Kind::kStatus, .flags = flags, .path = name->c_str()}, deadline),
      "looking at", path);
}

Result<bool> exists(std::string_view path, Deadline deadline) {
  const Result<FileStatus> found = status(path, Links::kFollow, deadline);
  if (found) return true;
  if (sys::is_errno(found.error(), ENOENT)) return false;
  return found.failure();
}

}  // namespace weft::fs
