// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/whole_file.hpp>

#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "fs/unique_name.hpp"
#include "sys/errors.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/fs/change.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace weft::fs {
namespace {

/// How much read_file() asks for when the size is not known, as in /proc.
constexpr std::size_t kReadStep = std::size_t{64} * 1024;

/// The permissions that the new file gets; none: the default's.
Result<std::optional<std::uint32_t>> mode_before(std::string_view path, Deadline deadline) {
  const Result<FileStatus> found = status(path, Links::kFollow, deadline);
  if (found && found->type == FileType::kDirectory) return about(sys::error_of(EISDIR), "writing", path);
  if (found) return std::optional(found->mode);
  if (sys::is_errno(found.error(), ENOENT)) return std::optional<std::uint32_t>();
  return found.failure();
}

struct Beside {
  File file;
  std::string path;
};

Result<Beside> create_beside(const std::string& path, std::uint32_t mode, Deadline deadline) {
  const std::string directory = directory_of(path);
  for (int i = 0;; ++i) {
    std::string name = directory + "/" + unique_name(".weft-");
    Result<File> file = open_file(name, O_WRONLY | O_CREAT | O_EXCL, mode, deadline, "creating");
    if (file) return Beside{std::move(*file), std::move(name)};
    if (!sys::is_errno(file.error(), EEXIST) || i == kNamesMax) return file.failure();
  }
}

Result<void> change_mode(const File& file, std::uint32_t mode, Deadline deadline) {
  const Result<std::size_t> done =
      perform({.kind = sys::FileRequest::Kind::kChangeMode, .fd = FileCore::of(file)->fd.get(), .mode = mode},
              deadline);
  if (!done) return about(done.error(), "changing the permissions of", file.path());
  return {};
}

Progress fill_and_rename(Beside& beside, const std::string& path, ConstBuffer data,
                         std::optional<std::uint32_t> mode, bool sync, Deadline deadline) {
  if (mode) {
    if (const Result<void> set = change_mode(beside.file, *mode, deadline); !set) return {0, set.failure()};
  }
  const Progress written = beside.file.pwrite(data, 0, deadline);
  if (!written) return written;
  if (sync) {
    if (const Result<void> synced = beside.file.sync(deadline); !synced)
      return {data.size(), synced.failure()};
  }
  if (const Result<void> closed = beside.file.close(); !closed) return {data.size(), closed.failure()};
  return {data.size(), rename(beside.path, path, Replace::kYes, deadline)};
}

}  // namespace

Result<std::string> read_file(std::string_view path, std::size_t size_max, Deadline deadline) {
  Result<File> file = File::open(path, {}, deadline);
  if (!file) return file.failure();
  const Result<FileStatus> status = file->status(deadline);
  if (!status) return status.failure();
  std::string text;
  // One more than it should have: the read that finds the end.
  std::uint64_t step = std::max<std::uint64_t>(status->size + 1, kReadStep / 16);
  for (std::size_t size = 0;;) {
    const std::uint64_t left = size_max - size;  // a byte more than that is an error
    text.resize(size + static_cast<std::size_t>(std::min<std::uint64_t>(step, left + (left != SIZE_MAX))));
    const Result<std::size_t> n =
        file->read_some_until(MutableBuffer(text.data() + size, text.size() - size), deadline);
    if (!n && n.error() == make_error_code(Errc::end_of_file)) return text.resize(size), text;
    if (!n) return n.failure();
    size += *n;
    if (size > size_max) return about(make_error_code(Errc::message_too_large), "reading", path);
    if (size == text.size()) step = kReadStep;
  }
}

io::Progress write_file(std::string_view path, ConstBuffer data, const WriteFileOptions& options,
                        Deadline deadline) {
  const Result<std::string> name = path_for_kernel(path);
  if (!name) return {0, about(name.error(), "writing", path)};
  const Result<std::optional<std::uint32_t>> mode = mode_before(path, deadline);
  if (!mode) return {0, mode.failure()};
  Result<Beside> beside = create_beside(*name, *mode ? 0600 : options.mode, deadline);
  if (!beside) return {0, beside.failure()};
  const Progress done = fill_and_rename(*beside, *name, data, *mode, options.sync, deadline);
  if (!done) {
    const CancelShield shield;  // nothing is left behind, whatever has happened
    std::ignore = remove(beside->path);
    return done;
  }
  if (!options.sync) return done;
  return {data.size(), sync_directory(directory_of(*name), deadline)};
}

Lines::Lines(File file, std::size_t line_size_max)
    : file_(std::make_unique<File>(std::move(file))),
      reader_(std::make_unique<io::BufferedReader>(*file_, kReadStep)),
      line_size_max_(line_size_max) {}

Result<Lines> Lines::open(std::string_view path, std::size_t line_size_max, Deadline deadline) {
  Result<File> file = File::open(path, {}, deadline);
  if (!file) return file.failure();
  return Lines(std::move(*file), line_size_max);
}

Result<std::optional<std::string_view>> Lines::next(Deadline deadline) {
  if (reader_ == nullptr) return Errc::closed;
  const Result<std::string_view> line =
      reader_->read_line_until(deadline, {.size_max = line_size_max_, .end_optional = true});
  if (line) return std::optional(*line);
  if (line.error() == make_error_code(Errc::end_of_file)) return std::optional<std::string_view>();
  return about(line.error(), "reading", file_->path());
}

}  // namespace weft::fs
