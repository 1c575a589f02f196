// SPDX-License-Identifier: Apache-2.0
// Locks of whole files. They are asked for again and again: docs/design/files.md, "locks".
#include "fs/file_core.hpp"
#include "sys/errors.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>

namespace weft::fs {
namespace {

constexpr std::int64_t kLockPauseFirstNs = 1'000'000;
constexpr std::int64_t kLockPauseMaxNs = 50'000'000;

}  // namespace

Result<bool> File::try_lock(LockMode mode) {
  const FileUse use(core_.get());
  if (!use) return Errc::closed;
  const Result<std::size_t> locked = perform_at_once({.kind = sys::FileRequest::Kind::kTryLock,
                                                      .fd = use.fd(),
                                                      .flags = mode == LockMode::kShared ? 1u : 0u});
  if (locked) return true;
  if (sys::would_block(locked.error())) return false;
  return about(locked.error(), "locking", core_->path);
}

Result<void> File::lock(LockMode mode, Deadline deadline) {
  for (std::int64_t pause_ns = kLockPauseFirstNs;; pause_ns = std::min(pause_ns * 2, kLockPauseMaxNs)) {
    const Result<bool> locked = try_lock(mode);
    if (!locked) return locked.failure();
    if (*locked) return {};
    if (deadline.passed()) return about(make_error_code(Errc::timed_out), "locking", core_->path);
    if (const Result<void> paused = sleep_until(std::min(Deadline::after_ns(pause_ns), deadline)); !paused)
      return about(paused.error(), "locking", core_->path);
  }
}

Result<void> File::unlock() {
  const FileUse use(core_.get());
  if (!use) return Errc::closed;
  const Result<std::size_t> done = perform_at_once({.kind = sys::FileRequest::Kind::kUnlock, .fd = use.fd()});
  if (!done) return about(done.error(), "unlocking", core_->path);
  return {};
}

}  // namespace weft::fs
