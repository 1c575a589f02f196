// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/fs/status.hpp>
#include <weft/io/progress.hpp>
#include <weft/io/reader.hpp>
#include <weft/io/writer.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft::fs {

class FileCore;

namespace detail {
struct DeleteFileCore {
  void operator()(FileCore* core) const noexcept;
};
}  // namespace detail

/// What a file is opened for.
enum class Access : std::uint8_t { kRead, kWrite, kReadWrite };

/// Options for File::open().
struct OpenOptions {
  Access access = Access::kRead;
  bool append = false;           ///< every write goes to the end of the file, wherever its position is
  bool create = false;           ///< a missing file is created, with `mode`
  bool exclusive = false;        ///< with `create`: EEXIST if the file is there
  bool truncate = false;         ///< the content is removed
  Links links = Links::kFollow;  ///< kKeep: ELOOP if the path is a symbolic link
  std::uint32_t mode = 0666;     ///< permissions of a new file, less the process's umask
};

/// How a file is locked: by one alone, or by several together.
enum class LockMode : std::uint8_t { kExclusive, kShared };

/// An open file of a disk.
///
///     auto file = weft::fs::File::open("settings.ini");
///     if (!file) return file.error();
///     char text[4096];
///     auto n = file->read_some(text);
///
/// Suspension: every call may suspend the calling fiber, also one that returns at once most of the time. The
/// thread runs other fibers meanwhile: bytes that the kernel has in memory are copied at once, everything
/// else is done by the kernel (io_uring), or by a thread of the blocking pool where there is no io_uring.
///
/// Position: reads and writes of io::Reader and io::Writer begin at position() and move it. It is the
/// object's own: other objects and processes do not move it. pread() and pwrite() do not use it.
///
/// Cancellation and deadlines: a call that has not started ends with Errc::cancelled or Errc::timed_out, and
/// nothing has happened. The kernel cannot call back what the disk has begun: then the call waits for it and
/// returns what was done. So a call may return later than its deadline, and the caller's buffer is never used
/// after a call has returned. Reads of bytes in memory do not look at the deadline.
///
/// Errors: those of the kernel (ENOSPC, EIO, EDQUOT, EFBIG, EISDIR, ...), with a text that names the path;
/// Errc::closed; Errc::end_of_file at the end of the file; Errc::unsupported for a file of another world,
/// simulated or not. Whole-buffer calls report the bytes that were moved before the error.
///
/// What can be opened: regular files, block devices, character devices that have positions, directories (for
/// sync() and status()). Pipes, sockets and terminals are Errc::unsupported.
///
/// Thread safety: several fibers, of any contexts, may call pread(), pwrite(), sync(), truncate(), status()
/// and the locks at once. Calls that use the position require that no other call uses it meanwhile. close()
/// may be called at any time. Moving and destroying require exclusive access. Calls on a plain thread block
/// it. Destruction closes the file, without suspending.
class File final : public io::Reader, public io::Writer {
 public:
  /// A file that is not open: every call fails with Errc::closed.
  File() noexcept;
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File() override;

  /// Opens the file at `path`. Errors name the path: ENOENT, EEXIST, EISDIR, ENOTDIR, ELOOP, EACCES, EROFS,
  /// EMFILE, ENFILE, EINVAL for a path with a NUL or for options that exclude each other.
  static Result<File> open(std::string_view path, const OpenOptions& options = {},
                           Deadline deadline = Deadline::never());
  /// Opens for reading and writing, creates the file if it is missing, and removes its content.
  static Result<File> create(std::string_view path, std::uint32_t mode = 0666,
                             Deadline deadline = Deadline::never());
  /// Creates a file without a name on the disk of `directory`, for reading and writing. It is gone when it is
  /// closed.
  static Result<File> create_unnamed(std::string_view directory, Deadline deadline = Deadline::never());

  using Reader::read_some;
  using Reader::read_some_until;
  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) override;
  Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers,
                                      Deadline deadline) override;
  /// Success: a file is always ready.
  Result<void> wait_readable(Deadline deadline = Deadline::never()) override;

  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline) override;
  io::Progress write_all_until(ConstBuffer data, Deadline deadline) override;
  io::Progress write_all_until(std::span<const std::span<const std::byte>> buffers,
                               Deadline deadline) override;
  /// Success: a file is always ready.
  Result<void> wait_writable(Deadline deadline = Deadline::never()) override;

  /// Where the next read or write begins, in bytes.
  std::uint64_t position() const noexcept;
  /// Beyond the end: reading is Errc::end_of_file, writing leaves a hole. Does not suspend.
  void set_position(std::uint64_t position) noexcept;

  /// Reads bytes from `offset` on, at least one, at most the buffer; Errc::end_of_file at the end of the
  /// file.
  Result<std::size_t> pread(MutableBuffer buffer, std::uint64_t offset,
                            Deadline deadline = Deadline::never());
  /// The same into several buffers, in order. Uses at most the first 16 that are not empty.
  Result<std::size_t> pread(std::span<const std::span<std::byte>> buffers, std::uint64_t offset,
                            Deadline deadline = Deadline::never());
  /// Fills the whole buffer. Errc::end_of_file if the file ends before that.
  io::Progress pread_exact(MutableBuffer buffer, std::uint64_t offset, Deadline deadline = Deadline::never());
  /// Writes all of `data` from `offset` on. With OpenOptions::append the kernel ignores the offset.
  io::Progress pwrite(ConstBuffer data, std::uint64_t offset, Deadline deadline = Deadline::never());
  /// The same with several buffers, in order, as if they were one.
  io::Progress pwrite(std::span<const std::span<const std::byte>> buffers, std::uint64_t offset,
                      Deadline deadline = Deadline::never());

  /// Returns when content and status are on the disk (fsync). An error may be about writes of before: what
  /// was written since the last success may be lost.
  Result<void> sync(Deadline deadline = Deadline::never());
  /// The same for the content, and what is needed to read it (fdatasync).
  Result<void> sync_data(Deadline deadline = Deadline::never());
  /// Cuts the file to `size` bytes, or extends it with a hole. Does not move the position.
  Result<void> truncate(std::uint64_t size, Deadline deadline = Deadline::never());
  Result<FileStatus> status(Deadline deadline = Deadline::never());

  /// Locks the whole file against other opens of it, of this and other processes (flock(2)). Waits, without
  /// keeping a thread, until it is free; asks again every 50 ms at the latest, so it is not fair.
  /// Cancellable. A lock that is held already is changed to `mode`, not at one go. Errc::closed if the file
  /// is closed meanwhile. The lock ends with unlock(), or with the file.
  Result<void> lock(LockMode mode = LockMode::kExclusive, Deadline deadline = Deadline::never());
  /// Whether the lock was free, and was taken.
  Result<bool> try_lock(LockMode mode = LockMode::kExclusive);
  Result<void> unlock();

  /// Closes the file. Suspends until the calls of other fibers have returned. Not cancellable. Errc::closed
  /// if it was closed before; an error of the kernel (EIO, ENOSPC, EDQUOT) is about writes of before. The
  /// file is closed in any case.
  Result<void> close();
  bool is_open() const noexcept;
  /// The path that it was opened with; empty if it was never open.
  const std::string& path() const noexcept;
  /// The file descriptor's number, or -1 if closed. The file still owns it.
  int native_handle() const noexcept;

 private:
  friend class FileCore;
  explicit File(FileCore* core) noexcept;
  weft::detail::FileSource* file_source() noexcept override;

  std::unique_ptr<FileCore, detail::DeleteFileCore> core_;
};

}  // namespace weft::fs
