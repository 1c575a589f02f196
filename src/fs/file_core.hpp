// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands behind a File. Calls hold `use` shared, close() holds it alone.
//
// Thread safety: `fd` and `closed` are written with `use` held alone; `position` by one fiber at a time.

#include "base/atomic.hpp"
#include "fs/file_fd.hpp"
#include "fs/perform.hpp"

#include <weft/fs/file.hpp>
#include <weft/shared_mutex.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace weft::fs {

using io::Progress;

class FileCore final : public weft::detail::FileSource {
 public:
  FileCore(FileFd opened, std::string of, bool written) noexcept
      : fd(std::move(opened)), path(std::move(of)), writable(written), simulated(fd.is_simulated()) {}

  static File make(FileFd fd, std::string path, bool writable) {
    return File(new FileCore(std::move(fd), std::move(path), writable));
  }
  static FileCore* of(const File& file) noexcept { return file.core_.get(); }

  /// Null: it is closed. Else it is not, until end_use().
  FileCore* begin_use() noexcept {
    use.lock_shared();
    if (!closed.load(relaxed)) return this;  // relaxed: written with the lock held alone
    use.unlock_shared();
    return nullptr;
  }
  void end_use() noexcept { use.unlock_shared(); }

  int begin_sending() noexcept override { return begin_use() != nullptr ? fd.get() : -1; }
  void end_sending() noexcept override { end_use(); }
  std::uint64_t sending_position() const noexcept override { return position; }
  void move_sending_position(std::uint64_t to) noexcept override { position = to; }

  SharedMutex use;
  FileFd fd;
  const std::string path;
  const bool writable;
  const bool simulated;
  Atomic<bool> closed{false};  // read for is_open() without `use`
  Atomic<bool> at_once{true};  // relaxed: a hint
  std::uint64_t position = 0;
};

/// A call on a file that is under way; false: the file is closed.
class FileUse {
 public:
  explicit FileUse(FileCore* core) noexcept : core_(core == nullptr ? nullptr : core->begin_use()) {}
  ~FileUse() {
    if (core_ != nullptr) core_->end_use();
  }
  FileUse(const FileUse&) = delete;
  FileUse& operator=(const FileUse&) = delete;

  explicit operator bool() const noexcept { return core_ != nullptr; }
  int fd() const noexcept { return core_->fd.get(); }

 private:
  FileCore* core_;
};

/// The error with a text that names the path. The end of a file is an outcome, and has none.
weft::detail::Failure about(std::error_code error, std::string_view doing, std::string_view path) noexcept;

/// The same for a result.
template <class T>
Result<T> named(Result<T> result, std::string_view doing, std::string_view path) {
  if (result) return result;
  return about(result.error(), doing, path);
}

}  // namespace weft::fs
