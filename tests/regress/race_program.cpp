// SPDX-License-Identifier: Apache-2.0
// A user's data race, for ThreadSanitizer to see: two fibers of unrelated contexts write one variable, and
// nothing orders them. Between the writes each context starts a fiber.
//
// What was wrong: each fiber's start went through one word of the process, which to ThreadSanitizer ordered
// all that came before in one context before all that came after in the other: it never said a word.
#include <weft/execution_context.hpp>
#include <weft/join_handle.hpp>
#include <weft/this_fiber.hpp>

#include <atomic>
#include <future>

namespace {

// Apart: ThreadSanitizer remembers the last four accesses to eight bytes.
alignas(64) int raced = 0;
alignas(64) std::atomic<bool> ready{false};
std::atomic<bool> written{false};
std::promise<void> over;

/// Relaxed: it orders nothing.
void wait_for(const std::atomic<bool>& flag) {
  while (!flag.load(std::memory_order_relaxed)) continue;
}

void start_a_fiber() {
  weft::spawn([] {}).join_uncancellable();
}

}  // namespace

int main() {
  weft::ConcurrentContext first("first"), second("second");
  // What is done once, memory for stacks among it, is done before.
  auto writes_first = first.spawn([] {
    start_a_fiber();
    wait_for(ready);
    raced = 1;
    start_a_fiber();
    written.store(true, std::memory_order_relaxed);
    // Nothing is told of an access whose fiber has ended.
    over.get_future().wait();
  });
  auto writes_second = second.spawn([] {
    start_a_fiber();
    ready.store(true, std::memory_order_relaxed);
    wait_for(written);
    start_a_fiber();
    raced = 2;
    over.set_value();
  });
  writes_first.join_uncancellable();
  writes_second.join_uncancellable();
  return raced == 2 ? 0 : 1;
}
