// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/file.hpp>

#include "fs/buffers.hpp"
#include "fs/file_core.hpp"
#include "fs/stat_request.hpp"
#include "sys/errors.hpp"

#include <weft/cancel_scope.hpp>

#include <limits>
#include <mutex>

namespace weft::fs {
namespace {

using Kind = sys::FileRequest::Kind;

constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

Result<std::size_t> read_from(FileCore* core, std::span<const iovec> buffers, std::uint64_t offset,
                              Deadline deadline) {
  if (buffers.empty()) return std::size_t{0};
  const FileUse use(core);
  if (!use) return Errc::closed;
  if (offset > kOffsetMax) return about(sys::error_of(EINVAL), "reading", core->path);
  const bool before = core->at_once.load(relaxed);
  bool at_once = before;
  const Result<std::size_t> n = perform_read({.kind = Kind::kRead,
                                              .fd = use.fd(),
                                              .count = static_cast<int>(buffers.size()),
                                              .buffers = buffers.data(),
                                              .offset = static_cast<std::int64_t>(offset)},
                                             deadline, at_once);
  if (at_once != before) core->at_once.store(at_once, relaxed);
  if (!n) return about(n.error(), "reading", core->path);
  return *n != 0 ? n : Result<std::size_t>(Errc::end_of_file);
}

/// Some of it, at least one byte.
Result<std::size_t> write_some_to(FileCore& core, int fd, std::span<const iovec> buffers,
                                  std::uint64_t offset, Deadline deadline) {
  if (offset > kOffsetMax) return about(sys::error_of(EINVAL), "writing", core.path);
  const Result<std::size_t> n = perform({.kind = Kind::kWrite,
                                         .fd = fd,
                                         .count = static_cast<int>(buffers.size()),
                                         .buffers = buffers.data(),
                                         .offset = static_cast<std::int64_t>(offset)},
                                        deadline);
  if (!n) return about(n.error(), "writing", core.path);
  // A device that takes nothing, and says that it is no error: without this, loops would never end.
  return *n != 0 ? n : Result<std::size_t>(about(sys::error_of(EIO), "writing", core.path));
}

Progress write_to(FileCore* core, BufferList<const std::byte> list, std::uint64_t offset, Deadline deadline) {
  std::span<iovec> left = list.next();
  if (left.empty()) return {0, {}};
  const FileUse use(core);
  if (!use) return {0, Errc::closed};
  for (std::size_t moved = 0;;) {
    const Result<std::size_t> n = write_some_to(*core, use.fd(), left, offset + moved, deadline);
    if (!n) return {moved, n.failure()};
    moved += *n;
    left = sys::drop_front(left, *n);
    if (left.empty()) left = list.next();
    if (left.empty()) return {moved, {}};
  }
}

Result<void> request_of(FileCore* core, sys::FileRequest request, Deadline deadline, const char* doing) {
  const FileUse use(core);
  if (!use) return Errc::closed;
  request.fd = use.fd();
  const Result<std::size_t> done = perform(request, deadline);
  if (!done) return about(done.error(), doing, core->path);
  return {};
}

}  // namespace

File::File() noexcept = default;
File::File(FileCore* core) noexcept : core_(core) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

void detail::DeleteFileCore::operator()(FileCore* core) const noexcept { delete core; }

weft::detail::Failure about(std::error_code error, std::string_view doing, std::string_view path) noexcept {
  if (error == make_error_code(Errc::end_of_file)) return {error};
  return weft::detail::failure_about(error, doing, path);
}

Result<std::size_t> File::read_some_until(MutableBuffer buffer, Deadline deadline) {
  const Result<std::size_t> n = pread(buffer, position(), deadline);
  if (n && core_ != nullptr) core_->position += *n;
  return n;
}

Result<std::size_t> File::read_some_until(std::span<const std::span<std::byte>> buffers, Deadline deadline) {
  const Result<std::size_t> n = pread(buffers, position(), deadline);
  if (n && core_ != nullptr) core_->position += *n;
  return n;
}

Result<void> File::wait_readable(Deadline) {
  const FileUse use(core_.get());
  return use ? Result<void>() : Result<void>(Errc::closed);
}

Result<std::size_t> File::write_some_until(ConstBuffer data, Deadline deadline) {
  if (data.empty()) return std::size_t{0};
  const FileUse use(core_.get());
  if (!use) return Errc::closed;
  const iovec buffer = sys::to_iovec(data);
  const Result<std::size_t> n = write_some_to(*core_, use.fd(), {&buffer, 1}, core_->position, deadline);
  if (n) core_->position += *n;
  return n;
}

Progress File::write_all_until(ConstBuffer data, Deadline deadline) {
  const Progress written = pwrite(data, position(), deadline);
  if (core_ != nullptr) core_->position += written.bytes();
  return written;
}

Progress File::write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) {
  const Progress written = pwrite(buffers, position(), deadline);
  if (core_ != nullptr) core_->position += written.bytes();
  return written;
}

Result<void> File::wait_writable(Deadline deadline) { return wait_readable(deadline); }

std::uint64_t File::position() const noexcept { return core_ == nullptr ? 0 : core_->position; }

void File::set_position(std::uint64_t position) noexcept {
  if (core_ != nullptr) core_->position = position;
}

Result<std::size_t> File::pread(MutableBuffer buffer, std::uint64_t offset, Deadline deadline) {
  if (buffer.empty()) return std::size_t{0};
  const iovec one = sys::to_iovec(std::span<std::byte>(buffer));
  return read_from(core_.get(), {&one, 1}, offset, deadline);
}

Result<std::size_t> File::pread(std::span<const std::span<std::byte>> buffers, std::uint64_t offset,
                                Deadline deadline) {
  BufferList<std::byte> list(buffers);
  return read_from(core_.get(), list.next(), offset, deadline);
}

Progress File::pread_exact(MutableBuffer buffer, std::uint64_t offset, Deadline deadline) {
  const std::span<std::byte> all = buffer;
  for (std::size_t moved = 0; moved < all.size();) {
    const Result<std::size_t> n = pread(all.subspan(moved), offset + moved, deadline);
    if (!n) return {moved, n.failure()};
    moved += *n;
  }
  return {all.size(), {}};
}

Progress File::pwrite(ConstBuffer data, std::uint64_t offset, Deadline deadline) {
  const std::span<const std::byte> one = data;
  return pwrite({&one, 1}, offset, deadline);
}

Progress File::pwrite(std::span<const std::span<const std::byte>> buffers, std::uint64_t offset,
                      Deadline deadline) {
  return write_to(core_.get(), BufferList<const std::byte>(buffers), offset, deadline);
}

Result<void> File::sync(Deadline deadline) {
  return request_of(core_.get(), {.kind = Kind::kSync}, deadline, "syncing");
}

Result<void> File::sync_data(Deadline deadline) {
  return request_of(core_.get(), {.kind = Kind::kSyncData}, deadline, "syncing");
}

Result<void> File::truncate(std::uint64_t size, Deadline deadline) {
  // The kernel refuses a negative size: EINVAL.
  return request_of(core_.get(), {.kind = Kind::kTruncate, .offset = static_cast<std::int64_t>(size)},
                    deadline, "truncating");
}

Result<FileStatus> File::status(Deadline deadline) {
  const FileUse use(core_.get());
  if (!use) return Errc::closed;
  return named(status_of({.kind = Kind::kStatus, .fd = use.fd(), .flags = AT_EMPTY_PATH}, deadline),
               "looking at", core_->path);
}

// What was written may have to be flushed, which takes time; else the number is only given back.
Result<void> File::close() {
  if (core_ == nullptr) return Errc::closed;
  FileFd fd;
  {
    const std::scoped_lock alone(core_->use);
    if (core_->closed.load(relaxed)) return Errc::closed;
    core_->closed.store(true, relaxed);
    fd = std::move(core_->fd);
  }
  if (!core_->writable) return {};
  const CancelShield shield;
  const Result<std::size_t> closed = perform({.kind = Kind::kClose, .fd = fd.get()}, Deadline::never());
  // The kernel has given the number back, whatever it says; else the request was never made.
  const bool made = closed || closed.error().category() == std::system_category();
  if (made) std::ignore = fd.release();
  if (!closed && made) return about(closed.error(), "closing", core_->path);
  return {};
}

weft::detail::FileSource* File::file_source() noexcept { return core_.get(); }

bool File::is_open() const noexcept { return core_ != nullptr && !core_->closed.load(relaxed); }

const std::string& File::path() const noexcept {
  static const std::string none;
  return core_ == nullptr ? none : core_->path;
}

int File::native_handle() const noexcept {
  return is_open() && !core_->fd.is_simulated() ? core_->fd.get() : -1;
}

}  // namespace weft::fs
