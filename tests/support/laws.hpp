// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the laws have in common: two contexts, A and B, with a thread and an event loop each.

#include "event_loop/polling/polling_event_loop.hpp"
#include "execution_context/context.hpp"
#include "support/gate.hpp"
#include "support/sockets.hpp"
#include "sys/fault.hpp"

#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

#include <memory>
#include <thread>

namespace weft::test {

inline LoopId loop_id(const ExecutionContext& context) {
  return static_cast<PollingEventLoop&>(detail::Access::core(context).event_loop()).id();
}

/// close() comes while a mover stands in `window`, which is left then. Returns when both are through.
inline void close_during_a_move(const Near& near, Window& window) {
  std::thread closer([&] { EXPECT_TRUE(near.close()); });
  eventually([&] { return near.handle.descriptor->usage.closing(); }, "close()");
  window.leave.open();
  closer.join();
}

class Laws : public testing::Test {
 protected:
  ConcurrentContext a{"a"};
  ConcurrentContext b{"b"};

  /// Makes the descriptor `context`'s, with nobody waiting: a byte is waited for there, and read.
  template <class Context>
  static void settle_in(Context& context, const Connection& connection) {
    auto reader = context.spawn([&] { return connection.near.read_exact(1); });
    connection.near.until_awaited(Direction::kRead);
    // Not while it moves: the loop that it leaves may see the byte, too, and wake across contexts (P2).
    eventually([&] { return connection.near.owner() == loop_id(context); }, "the end of the move");
    connection.far.send("s");
    EXPECT_EQ(reader.join_uncancellable(), "s");
    EXPECT_EQ(connection.near.owner(), loop_id(context));
  }
};

}  // namespace weft::test
