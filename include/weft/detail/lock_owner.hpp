// SPDX-License-Identifier: Apache-2.0
#pragma once

// The owner of a mutex, known only in builds with WEFT_CHECK_LOCKS. Debug builds set it, and a target that
// links weft::weft inherits it. Internal: this header may change at any time.

#ifndef WEFT_CHECK_LOCKS
#define WEFT_CHECK_LOCKS 0
#endif

#include <cstdint>

// Code with checks does not link with code without: the sizes differ.
#if WEFT_CHECK_LOCKS
#define WEFT_LOCK_ABI gnu::abi_tag("checked_locks")
#else
#define WEFT_LOCK_ABI gnu::abi_tag("unchecked_locks")
#endif

#if WEFT_CHECK_LOCKS

#include <weft/detail/atomic.hpp>

namespace weft::detail {

class LockOwner {
 public:
  constexpr LockOwner() noexcept = default;
  LockOwner(const LockOwner&) = delete;
  LockOwner& operator=(const LockOwner&) = delete;
  /// BUG if it is held.
  ~LockOwner();

  /// BUG if the caller is the owner: it would wait for itself.
  void before_lock() const noexcept;
  void locked() noexcept;
  /// BUG if the caller is not the owner.
  void before_unlock() noexcept;
  /// A fiber's id, or a mark of a plain thread with the highest bit set; 0: nobody. For dumps.
  std::uint64_t id() const noexcept { return owner_.load(relaxed); }

 private:
  Atomic<std::uint64_t> owner_{0};  // a fiber's id, or a mark of a plain thread; 0: nobody
};

}  // namespace weft::detail

#else

namespace weft::detail {

class LockOwner {
 public:
  void before_lock() const noexcept {}
  void locked() noexcept {}
  void before_unlock() noexcept {}
  static constexpr std::uint64_t id() noexcept { return 0; }
};

}  // namespace weft::detail

#endif
