// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/detail_names.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft {

class Home;
struct StackSlot;

/// Asks whether anything in the process can still run (docs/design/deadlock.md). One thread's.
class DeadlockCheck {
 public:
  enum class Answer {
    kAlive,
    kUnknown,     ///< only threads that weft does not know, or isolated fibers that run, could go on
    kDeadlocked,  ///< at one moment during the call everybody waited for somebody else
  };

  /// Looks at contexts, fibers and threads, without stopping any. With `assume_threads_idle` threads that
  /// wait for nothing of weft's count as stopped.
  Answer ask(bool assume_threads_idle);

  /// As of the last answer kDeadlocked.
  std::size_t fibers() const noexcept { return fibers_; }
  std::size_t threads() const noexcept { return waiting_threads_.size(); }

 private:
  /// What cannot stay the same while anything runs.
  struct Pulse {
    std::uint64_t context_changes = 0;
    std::uint64_t switches = 0;
    std::uint64_t thread_epochs = 0;
    std::size_t threads = 0;
    bool awake = false;  ///< a scheduler whose sleep the monitor would be told of
    bool operator==(const Pulse&) const = default;
  };

  Pulse pulse();
  bool every_fiber_waits_for_others();
  bool may_go_on(Fiber& fiber);
  bool every_thread_waits() const;
  bool accounted_for(int thread_id) const;

  StackSlot* witness_ = nullptr;        ///< of the fiber that could go on, the last time
  std::vector<int> scheduler_threads_;  ///< of the last pulse
  std::vector<const Home*> isolated_;   ///< contexts, of the last pulse
  std::vector<int> waiting_threads_;    ///< of the last pulse
  std::size_t fibers_ = 0;
  bool isolated_runs_ = false;  ///< as of the last look at the fibers
};

}  // namespace weft
