// SPDX-License-Identifier: Apache-2.0
#include <weft/fs/temporary.hpp>

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "fs/file_core.hpp"
#include "fs/open_file.hpp"
#include "fs/unique_name.hpp"
#include "sys/errors.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/fs/change.hpp>

#include <cstdlib>
#include <tuple>
#include <unistd.h>

namespace weft::fs {
namespace {

std::string in(std::string_view directory, const std::string& name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  return path + name;
}

}  // namespace

// splitmix64 of what differs between calls and processes.
std::string unique_name(std::string_view prefix) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  static Atomic<std::uint64_t> calls{0};
  std::uint64_t word = static_cast<std::uint64_t>(now_ns()) + (static_cast<std::uint64_t>(::getpid()) << 40) +
                       calls.fetch_add(0x9e3779b97f4a7c15, relaxed);
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  word ^= word >> 31;
  std::string name(prefix);
  for (int i = 0; i < 12; ++i, word >>= 5) name += kLetters[word % 32];
  return name;
}

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

Result<TemporaryFile> TemporaryFile::create(std::string_view directory, std::string_view prefix,
                                            Deadline deadline) {
  for (int i = 0;; ++i) {
    const std::string path = in(directory, unique_name(prefix));
    Result<File> file = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600, deadline, "creating");
    if (file) return TemporaryFile(std::move(*file), path);
    if (!sys::is_errno(file.error(), EEXIST) || i == kNamesMax) return file.failure();
  }
}

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  file_ = std::move(other.file_);
  path_ = std::exchange(other.path_, {});
  kept_ = other.kept_;
  return *this;
}

TemporaryFile::~TemporaryFile() { remove(); }

void TemporaryFile::remove() noexcept {
  if (kept_ || path_.empty()) return;
  // Of another world there may be another file with that path.
  const FileCore* const core = FileCore::of(file_);
  if (core == nullptr || core->simulated != (file_world_here() != nullptr)) return;
  std::ignore = perform_at_once({.kind = sys::FileRequest::Kind::kRemove, .path = path_.c_str()});
}

Result<TemporaryDirectory> TemporaryDirectory::create(std::string_view parent, std::string_view prefix,
                                                      Deadline deadline) {
  for (int i = 0;; ++i) {
    std::string path = in(parent, unique_name(prefix));
    const Result<void> made = create_directory(path, 0700, deadline);
    if (made) return TemporaryDirectory(std::move(path), file_world_here() != nullptr);
    if (!sys::is_errno(made.error(), EEXIST) || i == kNamesMax) return made.failure();
  }
}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  if (this == &other) return *this;
  remove_at_end();
  path_ = std::exchange(other.path_, {});
  kept_ = other.kept_;
  simulated_ = other.simulated_;
  return *this;
}

TemporaryDirectory::~TemporaryDirectory() { remove_at_end(); }

void TemporaryDirectory::remove_at_end() noexcept {
  if (kept_ || path_.empty() || simulated_ != (file_world_here() != nullptr)) return;
  const CancelShield shield;
  std::ignore = remove_all(path_);
}

Result<void> TemporaryDirectory::remove(Deadline deadline) {
  const Result<std::uint64_t> removed = remove_all(path_, deadline);
  if (!removed) return removed.failure();
  path_.clear();
  return {};
}

}  // namespace weft::fs
