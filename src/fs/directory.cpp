// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/directory.hpp>

#include "fs/directory_core.hpp"
#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "fs/stat_request.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <cstring>
#include <dirent.h>

namespace weft::fs {
namespace {

using Kind = sys::FileRequest::Kind;

bool is_dot(std::string_view name) noexcept { return name == "." || name == ".."; }

/// Some file systems do not say it with the name.
Result<FileType> ask_for_type(int directory, const std::string& name, Deadline deadline) {
  const Result<FileStatus> status = status_of(
      {.kind = Kind::kStatus, .fd = directory, .flags = AT_SYMLINK_NOFOLLOW, .path = name.c_str()}, deadline);
  if (status) return status->type;
  if (sys::is_errno(status.error(), ENOENT)) return FileType::kUnknown;  // removed meanwhile
  return status.error();
}

}  // namespace

void detail::DeleteDirectoryCore::operator()(DirectoryCore* core) const noexcept { delete core; }

Directory::Directory(DirectoryCore* core) noexcept : core_(core) {}
Directory::Directory(Directory&&) noexcept = default;
Directory& Directory::operator=(Directory&&) noexcept = default;
Directory::~Directory() = default;

Result<DirectoryCore> DirectoryCore::open_at(int directory, const std::string& name, std::string path,
                                             Links links, Deadline deadline) {
  const int flags = O_RDONLY | O_DIRECTORY | (links == Links::kKeep ? O_NOFOLLOW : 0);
  Result<FileFd> fd = open_fd(directory, name.c_str(), flags, 0, deadline);
  if (!fd) return about(fd.error(), "opening", path);
  return DirectoryCore(std::move(*fd), std::move(path));
}

std::string DirectoryCore::path_of(const std::string& name) const {
  return path_.empty() || path_.back() == '/' ? path_ + name : path_ + "/" + name;
}

/// False: there are no more names.
Result<bool> DirectoryCore::fill(Deadline deadline) {
  if (block_ == nullptr) block_ = std::make_unique<Block>();
  const iovec buffer{block_->bytes.data(), block_->bytes.size()};
  const Result<std::size_t> size =
      perform({.kind = Kind::kReadDirectory, .fd = fd_.get(), .count = 1, .buffers = &buffer}, deadline);
  if (!size) return about(size.error(), "reading", path_);
  begin_ = 0;
  end_ = *size;
  return *size != 0;
}

Result<std::optional<DirectoryEntry>> DirectoryCore::next(Deadline deadline) {
  std::optional<DirectoryEntry> entry;
  while (!entry) {
    if (begin_ == end_) {
      const Result<bool> more = fill(deadline);
      if (!more) return more.failure();
      if (!*more) break;
    }
    dirent64 head{};
    const std::byte* const at = block_->bytes.data() + begin_;
    std::memcpy(&head, at, offsetof(dirent64, d_name));
    begin_ += head.d_reclen;
    const char* const name = reinterpret_cast<const char*>(at + offsetof(dirent64, d_name));
    if (is_dot(name)) continue;
    entry.emplace();
    entry->name = name;
    entry->type = type_of_entry(head.d_type);
    if (head.d_type != DT_UNKNOWN) continue;
    const Result<FileType> type = ask_for_type(fd_.get(), entry->name, deadline);
    if (!type) return about(type.error(), "looking at", path_of(entry->name));
    entry->type = *type;
  }
  return entry;
}

Result<void> DirectoryCore::rewind() noexcept {
  begin_ = end_ = 0;
  const Result<std::size_t> done = perform_at_once({.kind = Kind::kRewind, .fd = fd_.get()});
  if (!done) return about(done.error(), "reading", path_);
  return {};
}

Result<Directory> Directory::open(std::string_view path, Deadline deadline) {
  const Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), "opening", path);
  Result<DirectoryCore> core = DirectoryCore::open_at(AT_FDCWD, *name, *name, Links::kFollow, deadline);
  if (!core) return core.failure();
  return DirectoryCore::make(std::move(*core));
}

Result<std::optional<DirectoryEntry>> Directory::next(Deadline deadline) {
  if (core_ == nullptr) return Errc::closed;
  return core_->next(deadline);
}

Result<std::vector<DirectoryEntry>> read_directory(std::string_view path, Deadline deadline) {
  Result<Directory> directory = Directory::open(path, deadline);
  if (!directory) return directory.failure();
  std::vector<DirectoryEntry> entries;
  for (;;) {
    Result<std::optional<DirectoryEntry>> entry = directory->next(deadline);
    if (!entry) return entry.failure();
    if (!*entry) break;
    entries.push_back(std::move(**entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace weft::fs
