// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/panic.hpp"
#include "base/spin_lock.hpp"
#include "fiber/waiter.hpp"

#include <mutex>
#include <utility>

namespace weft {

/// One thing that is given and taken: take() suspends until it is there. One taker at a time; any threads.
/// The bare wake-up with nothing around it, for tests and measurements.
class Baton {
 public:
  void take() {
    Waiter& self = Waiter::current();
    {
      std::scoped_lock lock(lock_);
      if (std::exchange(given_, false)) return;
      taker_ = &self;
      ticket_ = self.begin(WaitWord::Cancellable::kNo);
    }
    self.wait();
  }

  void give() {
    Waiter* taker = nullptr;
    {
      std::scoped_lock lock(lock_);
      taker = std::exchange(taker_, nullptr);
      if (taker == nullptr) {
        given_ = true;
        return;
      }
      WEFT_ASSERT(taker->word.try_win(ticket_, WaitOutcome::kReady), "somebody else woke the taker");
    }
    taker->wake();
  }

 private:
  SpinLock lock_;
  bool given_ = false;
  Waiter* taker_ = nullptr;
  WaitTicket ticket_;
};

}  // namespace weft
