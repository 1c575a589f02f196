// SPDX-License-Identifier: Apache-2.0
#pragma once

// The signals that have come for one set, and who waits for them (docs/design/signals.md).
//
// Thread safety: any. The spin lock guards all of it; deliver() is called with the registry's mutex, which
// comes before it. Guarantees: SG5 a signal stays in the set until one caller has taken it; whoever is woken
// looks for itself, so all that wait are woken.

#include "base/spin_lock.hpp"
#include "execution_context/signals/signal_registry.hpp"
#include "fiber/waiter.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace weft {

class SignalSetCore final : public SignalListener {
 public:
  explicit SignalSetCore(std::span<const int> numbers);
  /// BUG while somebody waits.
  ~SignalSetCore();

  void deliver(const Signal& signal) noexcept override;
  Result<Signal> wait_until(Deadline deadline) noexcept;
  /// What can be had now; Errc::would_block, or Errc::closed in a child of fork().
  Result<Signal> try_wait() noexcept;

  // -- for a select
  SpinLock& lock() noexcept { return lock_; }
  bool pop_locked(Signal& signal) noexcept;
  WaitList& waiters_locked() noexcept { return waiters_; }
  void describe(WaitDescription& description) const noexcept;

 private:
  static constexpr std::size_t kInOrderMax = 64;

  void push_locked(const Signal& signal) noexcept;
  void win_locked(WaitList& won) noexcept;

  SpinLock lock_;
  // Guarded by lock_.
  std::array<Signal, kInOrderMax> ring_{};
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
  // What the ring has no room for is only counted.
  std::array<std::uint64_t, 64> more_{};
  std::uint64_t more_in_all_ = 0;
  WaitList waiters_;
};

}  // namespace weft
