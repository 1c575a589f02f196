// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/file_world.hpp"
#include "sys/fd.hpp"

#include <memory>
#include <utility>

namespace weft::fs {

/// Owns a descriptor of the kernel's or of a simulated world's, or none. Not thread-safe.
class FileFd {
 public:
  FileFd() noexcept = default;
  /// Null: the kernel's.
  FileFd(int number, std::shared_ptr<FileWorld> world) noexcept : number_(number), world_(std::move(world)) {}
  FileFd(FileFd&& other) noexcept : number_(other.release()), world_(std::move(other.world_)) {}
  FileFd& operator=(FileFd&& other) noexcept {
    if (this == &other) return *this;
    reset();
    number_ = other.release();
    world_ = std::move(other.world_);
    return *this;
  }
  ~FileFd() { reset(); }

  int get() const noexcept { return number_; }
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  bool is_simulated() const noexcept { return world_ != nullptr; }

 private:
  void reset() noexcept {
    const int old = release();
    if (old < 0) return;
    if (world_ == nullptr) return sys::close(old);
    world_->call({.kind = sys::FileRequest::Kind::kClose, .fd = old});
  }

  int number_ = -1;
  std::shared_ptr<FileWorld> world_;
};

}  // namespace weft::fs
