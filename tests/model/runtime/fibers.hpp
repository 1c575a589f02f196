// SPDX-License-Identifier: Apache-2.0
#pragma once

// Threads of a model that are fibers: Waiter::current() is a real Fiber there, wait() suspends the thread
// until somebody enqueues the fiber. Enqueueing it twice, or after its end, is a failure.

#include "event_loop/timers/loop_timers.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "model/explorer/blocking.hpp"
#include "model/model.hpp"

#include <array>
#include <functional>

namespace weft::model {

/// The runner of one thread, which runs one fiber.
class ModelRunner final : public Runner {
 public:
  void suspend() noexcept override {
    if (on_suspend) on_suspend();
    model::suspend();
  }
  void yield() noexcept override {}
  [[noreturn]] void finish() noexcept override;
  void entered() noexcept override {}
  void arm_timer(Waiter& waiter) noexcept override;
  void disarm_timer(Waiter& waiter) noexcept override;

  LoopTimers* timers = nullptr;           ///< where its fiber's deadlines go
  std::function<void()> on_suspend = {};  ///< what its thread does once its fiber has left it
};

/// The fibers of a model. Made in the test, used anew by each execution.
class ModelFibers final : public Home {
 public:
  ModelFibers();

  /// The body of a thread that is the fiber `index`, anew: a cancel request of the execution before is
  /// forgotten. Before `run`.
  std::function<void()> fiber(std::size_t index, std::function<void()> body);
  Fiber& operator[](std::size_t index) noexcept { return *fibers_[index]; }
  ModelRunner& runner(std::size_t index) noexcept { return runners_[index]; }

  void enqueue(Fiber& fiber) noexcept override;

 private:
  static constexpr std::size_t kFibers = 4;

  std::array<Fiber*, kFibers> fibers_{};
  std::array<ModelRunner, kFibers> runners_;
  std::array<unsigned, kFibers> threads_{};  // which thread is which fiber
};

}  // namespace weft::model
