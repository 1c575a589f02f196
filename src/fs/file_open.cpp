// SPDX-License-Identifier: Apache-2.0
// How files are opened. O_NONBLOCK: opening a FIFO would wait for its other side; it is taken off again, as
// io_uring would then not wait either.
#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"

namespace weft::fs {
namespace {

Result<int> flags_of(const OpenOptions& options) noexcept {
  if (options.exclusive && !options.create) return sys::error_of(EINVAL);
  const bool writes = options.access != Access::kRead;
  if (!writes && (options.append || options.truncate || options.create)) return sys::error_of(EINVAL);
  int flags = options.access == Access::kRead    ? O_RDONLY
              : options.access == Access::kWrite ? O_WRONLY
                                                 : O_RDWR;
  if (options.append) flags |= O_APPEND;
  if (options.create) flags |= O_CREAT;
  if (options.exclusive) flags |= O_EXCL;
  if (options.truncate) flags |= O_TRUNC;
  if (options.links == Links::kKeep) flags |= O_NOFOLLOW;
  return flags;
}

Result<void> prepare_opened(int fd) noexcept {
  const Result<sys::FileKind> kind = sys::file_kind(fd);
  if (!kind) return kind.error();
  if (*kind == sys::FileKind::kFifo || *kind == sys::FileKind::kSocket || *kind == sys::FileKind::kTerminal)
    return Errc::unsupported;
  return sys::set_nonblocking(fd, false);
}

}  // namespace

Result<FileFd> open_fd(int directory, const char* path, int flags, std::uint32_t mode, Deadline deadline) {
  const Result<std::size_t> opened = perform({.kind = sys::FileRequest::Kind::kOpen,
                                              .fd = directory,
                                              .flags = static_cast<unsigned>(flags | O_NONBLOCK | O_NOCTTY),
                                              .mode = mode,
                                              .path = path},
                                             deadline);
  if (!opened) return opened.error();
  FileFd fd(static_cast<int>(*opened), file_world_here());
  if (fd.is_simulated()) return fd;
  if (const Result<void> prepared = prepare_opened(fd.get()); !prepared) return prepared.error();
  return fd;
}

Result<File> open_file(std::string_view path, int flags, std::uint32_t mode, Deadline deadline,
                       const char* doing) {
  Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), doing, path);
  Result<FileFd> fd = open_fd(AT_FDCWD, name->c_str(), flags, mode, deadline);
  if (!fd) return about(fd.error(), doing, path);
  return FileCore::make(std::move(*fd), std::move(*name), (flags & O_ACCMODE) != O_RDONLY);
}

Result<File> File::open(std::string_view path, const OpenOptions& options, Deadline deadline) {
  const Result<int> flags = flags_of(options);
  if (!flags) return about(flags.error(), "opening", path);
  return open_file(path, *flags, options.mode, deadline, "opening");
}

Result<File> File::create(std::string_view path, std::uint32_t mode, Deadline deadline) {
  return open_file(path, O_RDWR | O_CREAT | O_TRUNC, mode, deadline, "creating");
}

Result<File> File::create_unnamed(std::string_view directory, Deadline deadline) {
  return open_file(directory, O_RDWR | O_TMPFILE, 0600, deadline, "creating an unnamed file in");
}

}  // namespace weft::fs
