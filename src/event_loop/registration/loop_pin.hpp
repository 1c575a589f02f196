// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/registration/loop_registry.hpp"

namespace weft {

/// A loop that is kept alive for a scope, if it is alive at all. For a system call or two, not for longer.
class LoopPin {
 public:
  explicit LoopPin(LoopId id) noexcept : id_(id), loop_(LoopRegistry::instance().pin(id)) {}
  ~LoopPin() {
    if (loop_ != nullptr) LoopRegistry::instance().unpin(id_);
  }
  LoopPin(const LoopPin&) = delete;
  LoopPin& operator=(const LoopPin&) = delete;

  explicit operator bool() const noexcept { return loop_ != nullptr; }
  PollingEventLoop* operator->() const noexcept { return loop_; }
  PollingEventLoop& operator*() const noexcept { return *loop_; }

 private:
  const LoopId id_;
  PollingEventLoop* const loop_;
};

}  // namespace weft
