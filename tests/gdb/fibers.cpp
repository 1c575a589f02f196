// SPDX-License-Identifier: Apache-2.0
// Fibers that wait, each in a function with a name, and one that runs; all_wait() is where gdb_test.py stops
// it. Left alone, it ends.
#include <weft/weft.hpp>

#include <chrono>

extern "C" [[gnu::noinline]] void all_wait() { asm volatile(""); }

[[gnu::noinline]] void sleep_long() { (void)weft::sleep(std::chrono::hours(1)); }

[[gnu::noinline]] void receive_order(weft::Channel<int>& orders) { (void)orders.receive(); }

[[gnu::noinline]] void join_sleeper(weft::JoinHandle<void>& sleeper) { sleeper.join_uncancellable(); }

[[gnu::noinline]] void run_fibers() {
  weft::Channel<int> orders;
  weft::ConcurrentContext workers("workers");
  auto sleeper = workers.spawn([] { sleep_long(); }, {.name = "sleeper"});
  auto receiver = workers.spawn([&] { receive_order(orders); }, {.name = "receiver"});
  auto joiner = workers.spawn([&] { join_sleeper(sleeper); }, {.name = "joiner"});
  auto nameless = workers.spawn([&] { receive_order(orders); });
  workers.spawn([] {}).join_uncancellable();  // one thread, first come first served: the others wait by now
  while (workers.counters().fibers_finished == 0) weft::yield();  // and this one is gone
  auto queued = weft::spawn([] { all_wait(); }, {.name = "queued"});
  all_wait();
  orders.close();
  sleeper.cancel();
  joiner.join_uncancellable();
  receiver.join_uncancellable();
  nameless.join_uncancellable();
  queued.join_uncancellable();
}

int main() {
  weft::run(run_fibers);
  return 0;
}
