// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/cancel_scope.hpp>
#include <weft/execution_context.hpp>

#include <gtest/gtest.h>

#include "fiber/waiter.hpp"

#include <thread>

namespace weft::test {

/// Blocks the thread until the fiber behind `waiter` waits.
inline void until_it_waits(Waiter& waiter) {
  while (!waiter.word.waiting()) std::this_thread::yield();
}

/// Runs `call(ready)` in a scope that is cancelled by a plain thread at the first wait after `ready()`; what
/// it returned.
template <class Call>
auto cancelled_while_waiting(ExecutionContext& context, Call call) {
  CancelScope* scope = nullptr;
  Waiter* waiter = nullptr;
  Atomic<bool> ready{false};
  auto fiber = context.spawn([&] {
    CancelScope own;
    scope = &own;
    waiter = &Waiter::current();
    auto result = call([&] { ready.store(true); });
    EXPECT_EQ(own.status().error(), Errc::cancelled);
    return result;
  });
  while (!ready.load()) std::this_thread::yield();
  until_it_waits(*waiter);
  scope->cancel();
  return fiber.join_uncancellable();
}

}  // namespace weft::test
