// SPDX-License-Identifier: Apache-2.0
// Copying of files: by the kernel, which may share the blocks; where it cannot, through memory.
#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "sys/errors.hpp"

#include <weft/fs/change.hpp>

#include <algorithm>
#include <memory>

namespace weft::fs {
namespace {

/// How much the kernel copies at once: for so long a cancel waits.
constexpr std::size_t kKernelPiece = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kMemoryPiece = std::size_t{256} * 1024;

class FileCopy {
 public:
  FileCopy(File& from, File& to, Deadline deadline) noexcept : from_(from), to_(to), deadline_(deadline) {}

  Progress run() {
    for (;;) {
      const Result<std::size_t> n = perform({.kind = sys::FileRequest::Kind::kCopyRange,
                                             .fd = FileCore::of(from_)->fd.get(),
                                             .other_fd = FileCore::of(to_)->fd.get(),
                                             .offset = static_cast<std::int64_t>(moved_),
                                             .size = kKernelPiece},
                                            deadline_);
      // 0: also what the kernel says of files of /proc, which have content all the same.
      if ((!n && kernel_cannot(n.error())) || (n && *n == 0)) return through_memory();
      if (!n) return {moved_, about(n.error(), "copying to", to_.path())};
      moved_ += *n;
    }
  }

 private:
  static bool kernel_cannot(std::error_code error) noexcept {
    return sys::is_errno(error, EXDEV) || sys::is_errno(error, EINVAL) || sys::is_errno(error, EOPNOTSUPP) ||
           sys::is_errno(error, ENOSYS);
  }

  Progress through_memory() {
    const auto bytes = std::make_unique_for_overwrite<std::byte[]>(kMemoryPiece);
    for (;;) {
      const Result<std::size_t> n = from_.pread(MutableBuffer(bytes.get(), kMemoryPiece), moved_, deadline_);
      if (!n && n.error() == make_error_code(Errc::end_of_file)) return {moved_, {}};
      if (!n) return {moved_, n.failure()};
      const Progress written = to_.pwrite(ConstBuffer(bytes.get(), *n), moved_, deadline_);
      moved_ += written.bytes();
      if (!written) return {moved_, written.failure()};
    }
  }

  File& from_;
  File& to_;
  const Deadline deadline_;
  std::size_t moved_ = 0;
};

}  // namespace

io::Progress copy_file(std::string_view from, std::string_view to, Replace replace, Deadline deadline) {
  Result<File> source = File::open(from, {}, deadline);
  if (!source) return {0, source.failure()};
  const Result<FileStatus> status = source->status(deadline);
  if (!status) return {0, status.failure()};
  if (status->type == FileType::kDirectory) return {0, about(sys::error_of(EISDIR), "copying", from)};
  // Not truncated yet: it may be the same file.
  const int flags = O_WRONLY | O_CREAT | (replace == Replace::kNo ? O_EXCL : 0);
  Result<File> target = open_file(to, flags, status->mode, deadline, "creating");
  if (!target) return {0, target.failure()};
  const Result<FileStatus> there = target->status(deadline);
  if (!there) return {0, there.failure()};
  if (there->device == status->device && there->inode == status->inode)
    return {0, about(sys::error_of(EINVAL), "copying onto itself", from)};
  if (there->size != 0) {
    if (const Result<void> cut = target->truncate(0, deadline); !cut) return {0, cut.failure()};
  }
  return FileCopy(*source, *target, deadline).run();
}

}  // namespace weft::fs
