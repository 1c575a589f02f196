// SPDX-License-Identifier: Apache-2.0
// A tree is removed by descriptors, not by paths: a directory that somebody replaces by a link meanwhile is
// not entered, and paths may be longer than the kernel takes.
#include "fs/directory_core.hpp"
#include "fs/file_core.hpp"
#include "sys/errors.hpp"

#include <weft/fs/change.hpp>

#include <vector>

namespace weft::fs {
namespace {

using Kind = sys::FileRequest::Kind;

/// Names that come while they are removed: after so many rounds, ENOTEMPTY is the error.
constexpr int kRoundsMax = 16;

class TreeRemoval {
 public:
  explicit TreeRemoval(Deadline deadline) noexcept : deadline_(deadline) {}

  Result<std::uint64_t> run(const std::string& path) {
    Result<void> done = remove_or_enter(AT_FDCWD, path, path);
    while (done && !levels_.empty()) done = step();
    if (!done) return done.failure();
    return removed_;
  }

 private:
  struct Level {
    DirectoryCore directory;
    std::string name;
    int rounds = 0;
  };

  Result<bool> unlink_at(int directory, const std::string& name, unsigned flags) {
    const Result<std::size_t> done =
        perform({.kind = Kind::kRemove, .fd = directory, .flags = flags, .path = name.c_str()}, deadline_);
    if (done) ++removed_;
    if (done || sys::is_errno(done.error(), ENOENT)) return true;
    if (sys::is_errno(done.error(), flags == 0 ? EISDIR : ENOTEMPTY)) return false;
    return done.error();
  }

  Result<void> remove_or_enter(int around, const std::string& name, std::string path) {
    const Result<bool> gone = unlink_at(around, name, 0);
    if (!gone) return about(gone.error(), "removing", path);
    if (*gone) return {};
    Result<DirectoryCore> directory =
        DirectoryCore::open_at(around, name, std::move(path), Links::kKeep, deadline_);
    if (!directory) return directory.failure();
    levels_.push_back({std::move(*directory), name});
    return {};
  }

  Result<void> step() {
    DirectoryCore& directory = levels_.back().directory;
    Result<std::optional<DirectoryEntry>> entry = directory.next(deadline_);
    if (!entry) return entry.failure();
    if (*entry) return remove_or_enter(directory.fd(), (*entry)->name, directory.path_of((*entry)->name));
    return leave();
  }

  Result<void> leave() {
    Level& level = levels_.back();
    const int around = levels_.size() == 1 ? AT_FDCWD : levels_[levels_.size() - 2].directory.fd();
    const Result<bool> gone = unlink_at(around, level.name, AT_REMOVEDIR);
    if (!gone) return about(gone.error(), "removing", level.directory.path());
    if (*gone) return levels_.pop_back(), Result<void>();
    if (++level.rounds == kRoundsMax)
      return about(sys::error_of(ENOTEMPTY), "removing", level.directory.path());
    return level.directory.rewind();
  }

  const Deadline deadline_;
  std::vector<Level> levels_;
  std::uint64_t removed_ = 0;
};

}  // namespace

Result<std::uint64_t> remove_all(std::string_view path, Deadline deadline) {
  Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), "removing", path);
  while (name->size() > 1 && name->back() == '/') name->pop_back();  // a link is removed, not entered
  return TreeRemoval(deadline).run(*name);
}

}  // namespace weft::fs
