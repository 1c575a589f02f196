// SPDX-License-Identifier: Apache-2.0
#include "fs/directory_core.hpp"
#include "fs/file_core.hpp"
#include "fs/stat_request.hpp"
#include "sys/errors.hpp"

#include <weft/fs/directory.hpp>

#include <algorithm>
#include <vector>

namespace weft::fs {

/// Thread safety: one fiber's.
class WalkCore {
 public:
  explicit WalkCore(Links links) noexcept : links_(links) {}

  Result<void> enter(int directory, const std::string& name, std::string path, Deadline deadline);
  Result<std::optional<WalkEntry>> next(Deadline deadline);
  void skip() noexcept { pending_.clear(); }

 private:
  /// A directory that the walk is in, and which one it is if links are followed.
  struct Level {
    DirectoryCore directory;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };

  bool is_around(const FileStatus& status) const noexcept;
  Result<FileType> type_behind(const DirectoryCore& directory, const std::string& name, Deadline deadline);

  const Links links_;
  std::vector<Level> levels_;
  std::string pending_;  // the name of the directory that was given last: it comes next
};

void detail::DeleteDirectoryCore::operator()(WalkCore* core) const noexcept { delete core; }

bool WalkCore::is_around(const FileStatus& status) const noexcept {
  return std::any_of(levels_.begin(), levels_.end(), [&](const Level& level) {
    return level.device == status.device && level.inode == status.inode;
  });
}

Result<void> WalkCore::enter(int directory, const std::string& name, std::string path, Deadline deadline) {
  // The first one is what the caller has named, link or not.
  const Links links = levels_.empty() ? Links::kFollow : links_;
  Result<DirectoryCore> opened = DirectoryCore::open_at(directory, name, std::move(path), links, deadline);
  if (!opened) return opened.failure();
  Level level{std::move(*opened)};
  if (links_ == Links::kFollow) {
    const Result<FileStatus> status = status_of(
        {.kind = sys::FileRequest::Kind::kStatus, .fd = level.directory.fd(), .flags = AT_EMPTY_PATH},
        deadline);
    if (!status) return about(status.error(), "looking at", level.directory.path());
    if (is_around(*status)) return about(sys::error_of(ELOOP), "walking into", level.directory.path());
    level.device = status->device;
    level.inode = status->inode;
  }
  levels_.push_back(std::move(level));
  return {};
}

/// Of what a link leads to; kSymlink: nowhere.
Result<FileType> WalkCore::type_behind(const DirectoryCore& directory, const std::string& name,
                                       Deadline deadline) {
  const Result<FileStatus> status = status_of(
      {.kind = sys::FileRequest::Kind::kStatus, .fd = directory.fd(), .path = name.c_str()}, deadline);
  if (status) return status->type;
  if (sys::is_errno(status.error(), ENOENT) || sys::is_errno(status.error(), ELOOP))
    return FileType::kSymlink;
  return about(status.error(), "looking at", directory.path_of(name));
}

Result<std::optional<WalkEntry>> WalkCore::next(Deadline deadline) {
  if (!pending_.empty()) {
    const std::string name = std::exchange(pending_, {});
    const DirectoryCore& around = levels_.back().directory;
    const Result<void> entered = enter(around.fd(), name, around.path_of(name), deadline);
    if (!entered) return entered.failure();
  }
  std::optional<WalkEntry> found;
  while (!found && !levels_.empty()) {
    DirectoryCore& directory = levels_.back().directory;
    Result<std::optional<DirectoryEntry>> entry = directory.next(deadline);
    if (!entry) return entry.failure();
    if (!*entry) {
      levels_.pop_back();
      continue;
    }
    DirectoryEntry& name = **entry;
    if (name.type == FileType::kSymlink && links_ == Links::kFollow) {
      const Result<FileType> type = type_behind(directory, name.name, deadline);
      if (!type) return type.failure();
      name.type = *type;
    }
    if (name.type == FileType::kDirectory) pending_ = name.name;
    found.emplace();
    found->path = directory.path_of(name.name);
    found->type = name.type;
    found->depth = static_cast<std::uint32_t>(levels_.size() - 1);
  }
  return found;
}

Walk::Walk(WalkCore* core) noexcept : core_(core) {}
Walk::Walk(Walk&&) noexcept = default;
Walk& Walk::operator=(Walk&&) noexcept = default;
Walk::~Walk() = default;

Result<Walk> Walk::begin(std::string_view path, const WalkOptions& options, Deadline deadline) {
  const Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), "opening", path);
  Walk walk(new WalkCore(options.links));
  const Result<void> entered = walk.core_->enter(AT_FDCWD, *name, *name, deadline);
  if (!entered) return entered.failure();
  return walk;
}

Result<std::optional<WalkEntry>> Walk::next(Deadline deadline) {
  if (core_ == nullptr) return Errc::closed;
  return core_->next(deadline);
}

void Walk::skip() noexcept {
  if (core_ != nullptr) core_->skip();
}

}  // namespace weft::fs
