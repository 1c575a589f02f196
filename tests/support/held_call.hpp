// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of blocking pools share.

#include "support/any_context.hpp"

#include <weft/blocking.hpp>

#include <latch>

namespace weft::test {

/// Blocks threads until it is opened.
class CallGate {
 public:
  void open() { latch_.count_down(); }
  void wait() { latch_.wait(); }

 private:
  std::latch latch_{1};
};

class BlockingPoolTestBase : public InAnyContext {
 protected:
  bool simulated() const { return GetParam().kind == AnyContextKind::kSimulated; }
};

/// A call that has started and runs until the gate is opened, in a fiber.
struct HeldCall {
  explicit HeldCall(BlockingPool& pool, ExecutionContext& context)
      : handle(context.spawn([this, &pool] {
          return pool.run([this] {
            entered.open();
            leave.wait();
            return 1;
          });
        })) {
    entered.wait();
  }
  CallGate entered, leave;
  JoinHandle<Result<int>> handle;
};

}  // namespace weft::test
