// SPDX-License-Identifier: Apache-2.0
#pragma once

// A directory whose names are read.
//
// Thread safety: one fiber's.

#include "fs/file_fd.hpp"

#include <weft/fs/directory.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weft::fs {

class DirectoryCore {
 public:
  DirectoryCore(FileFd fd, std::string path) noexcept : fd_(std::move(fd)), path_(std::move(path)) {}

  /// `name` in `directory`; `path` is for errors. kKeep: not a symbolic link, ENOTDIR.
  static Result<DirectoryCore> open_at(int directory, const std::string& name, std::string path, Links links,
                                       Deadline deadline);
  static Directory make(DirectoryCore core) { return Directory(new DirectoryCore(std::move(core))); }

  Result<std::optional<DirectoryEntry>> next(Deadline deadline);
  /// From the first name on.
  Result<void> rewind() noexcept;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }
  /// Of a name in it.
  std::string path_of(const std::string& name) const;

 private:
  /// What one system call gives. The kernel aligns the entries.
  struct alignas(8) Block {
    std::array<std::byte, std::size_t{32} * 1024> bytes;
  };

  Result<bool> fill(Deadline deadline);

  FileFd fd_;
  std::string path_;
  std::unique_ptr<Block> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft::fs
