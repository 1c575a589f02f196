// SPDX-License-Identifier: Apache-2.0
#pragma once

// RunOptions::stop_on: the first signal ends a scope around the main fiber's function, the second one the
// process. No fiber and no wait stand for it, so a deadlock of everybody else is found as ever.

#include "execution_context/signals/signal_registry.hpp"
#include "fiber/cancel_node.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

namespace weft {

class StopOn final : public SignalListener {
 public:
  explicit StopOn(std::span<const int> numbers);
  ~StopOn();

  void deliver(const Signal& signal) noexcept override;

  // By the main fiber.
  void enter() noexcept;
  void leave() noexcept;

 private:
  struct End {
    CancelNode* scope;
    void operator()() const noexcept { scope->end(WaitOutcome::kCancelled); }
  };

  std::uint64_t signals_ = 0;  // guarded by the registry's lock
  CancelNode scope_;
  std::optional<std::stop_callback<End>> bound_;
};

}  // namespace weft
