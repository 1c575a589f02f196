// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/change.hpp>

#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "fs/perform.hpp"
#include "sys/errors.hpp"

#include <weft/fs/status.hpp>

#include <cstdio>

namespace weft::fs {
namespace {

using Kind = sys::FileRequest::Kind;

/// `request` of one path.
Result<void> change_at(std::string_view path, sys::FileRequest request, Deadline deadline,
                       const char* doing) {
  const Result<std::string> name = path_for_kernel(path);
  if (!name) return about(name.error(), doing, path);
  request.path = name->c_str();
  const Result<std::size_t> done = perform(request, deadline);
  if (!done) return about(done.error(), doing, path);
  return {};
}

Result<void> require_directory(std::string_view path, Deadline deadline) {
  const Result<FileStatus> found = status(path, Links::kFollow, deadline);
  if (!found) return found.failure();
  if (found->type != FileType::kDirectory) return about(sys::error_of(ENOTDIR), "creating", path);
  return {};
}

std::string_view without_slashes(std::string_view path) noexcept {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

}  // namespace

Result<void> rename(std::string_view from, std::string_view to, Replace replace, Deadline deadline) {
  const Result<std::string> name = path_for_kernel(from);
  if (!name) return about(name.error(), "renaming", from);
  const Result<std::string> new_name = path_for_kernel(to);
  if (!new_name) return about(new_name.error(), "renaming to", to);
  const unsigned flags = replace == Replace::kNo ? RENAME_NOREPLACE : 0;
  const Result<std::size_t> done =
      perform({.kind = Kind::kRename, .flags = flags, .path = name->c_str(), .other_path = new_name->c_str()},
              deadline);
  if (!done) return about(done.error(), "renaming", std::string(from) + " to " + std::string(to));
  return {};
}

Result<void> remove(std::string_view path, Deadline deadline) {
  const Result<void> removed = change_at(path, {.kind = Kind::kRemove}, deadline, "removing");
  if (removed || !sys::is_errno(removed.error(), EISDIR)) return removed;
  return change_at(path, {.kind = Kind::kRemove, .flags = AT_REMOVEDIR}, deadline, "removing");
}

Result<void> create_directory(std::string_view path, std::uint32_t mode, Deadline deadline) {
  return change_at(path, {.kind = Kind::kMakeDirectory, .mode = mode}, deadline, "creating");
}

Result<void> create_directories(std::string_view path, std::uint32_t mode, Deadline deadline) {
  path = without_slashes(path);
  Result<void> made = create_directory(path, mode, deadline);
  if (!made && sys::is_errno(made.error(), ENOENT)) {
    for (std::size_t end = path.find('/', 1); end != std::string_view::npos; end = path.find('/', end + 1)) {
      made = create_directory(path.substr(0, end), mode, deadline);
      if (!made && !sys::is_errno(made.error(), EEXIST)) return made;
    }
    made = create_directory(path, mode, deadline);
  }
  // It was there, or somebody else was faster.
  if (!made && sys::is_errno(made.error(), EEXIST)) return require_directory(path, deadline);
  return made;
}

Result<void> sync_directory(std::string_view path, Deadline deadline) {
  Result<File> directory = open_file(path, O_RDONLY | O_DIRECTORY, 0, deadline, "opening");
  if (!directory) return directory.failure();
  return directory->sync(deadline);
}

}  // namespace weft::fs
