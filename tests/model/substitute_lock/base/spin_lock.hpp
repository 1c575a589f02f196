// SPDX-License-Identifier: Apache-2.0
#pragma once

// base/spin_lock.hpp as the model checker has it: a lock that is one step to take and one to give back, so
// that protocols which use it stay small to explore. That the shipping one is such a lock is checked by
// tests/model/spin_lock_test.cpp.

#include "base/atomic.hpp"

#include <cstdint>
#include <type_traits>

namespace weft {

namespace detail {

class SpinLock {
 public:
  constexpr SpinLock() noexcept {
    if (!std::is_constant_evaluated() && model::hooks::active()) model::hooks::begin_life(&locked_);
  }
  constexpr ~SpinLock() {
    if (!std::is_constant_evaluated() && model::hooks::active())
      model::hooks::end_life(&locked_, model::Where::here());
  }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock(model::Where where = model::Where::here()) noexcept {
    if (model::hooks::active()) model::hooks::lock(&locked_, where);
  }
  bool try_lock(model::Where where = model::Where::here()) noexcept {
    return !model::hooks::active() || model::hooks::try_lock(&locked_, where);
  }
  void unlock(model::Where where = model::Where::here()) noexcept {
    if (model::hooks::active()) model::hooks::unlock(&locked_, where);
  }

 private:
  std::uint8_t locked_ = 0;  // its address names the lock; the explorer knows its state
};

}  // namespace detail

using detail::SpinLock;

}  // namespace weft
