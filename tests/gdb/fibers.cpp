// SPDX-License-Identifier: Apache-2.0
// Fibers that wait, each in a function with a name. As `fibers`, one of them runs: gdb_test.py stops the
// program in all_wait(); left alone, it ends. As `fibers idle`, all of them wait: it says "idle" when they
// do, and ends when its input does.
#include <weft/weft.hpp>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <thread>

extern "C" [[gnu::noinline]] void all_wait() { asm volatile(""); }

[[gnu::noinline]] void sleep_long() {
  [[maybe_unused]] volatile int dreams = 4711;
  (void)weft::sleep(std::chrono::hours(1));
  dreams = 0;
}

[[gnu::noinline]] void receive_order(weft::Channel<int>& orders) {
  (void)orders.receive();
  asm volatile("");  // else a jump ends it: the frame would be gone
}

[[gnu::noinline]] void join_sleeper(weft::JoinHandle<void>& sleeper) {
  sleeper.join_uncancellable();
  asm volatile("");
}

[[gnu::noinline]] void lock_ledger(weft::Mutex& ledger) {
  const std::scoped_lock lock(ledger);
  asm volatile("");
}

[[gnu::noinline]] void accept_client(weft::net::TcpListener& listener) { (void)listener.accept(); }

[[gnu::noinline]] void wait_for_end_of_input(weft::Channel<int>& ended) { (void)ended.receive(); }

namespace {

void say_idle_until_input_ends(weft::Channel<int>& ended) {
  std::puts("idle");
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  ended.close();
}

[[gnu::noinline]] void run_fibers(bool idle) {
  weft::Channel<int> orders;
  weft::Mutex ledger;
  auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  weft::ConcurrentContext workers("workers");
  ledger.lock();
  auto sleeper = workers.spawn([] { sleep_long(); }, {.name = "sleeper"});
  auto receiver = workers.spawn([&] { receive_order(orders); }, {.name = "receiver"});
  auto joiner = workers.spawn([&] { join_sleeper(sleeper); }, {.name = "joiner"});
  auto nameless = workers.spawn([&] { receive_order(orders); });
  auto writer = workers.spawn([&] { lock_ledger(ledger); }, {.name = "writer"});
  auto acceptor = workers.spawn([&] { accept_client(listener); }, {.name = "acceptor"});
  workers.spawn([] {}).join_uncancellable();  // one thread, first come first served: the others wait by now
  while (workers.counters().fibers_finished == 0) weft::yield();  // and this one is gone
  if (idle) {
    weft::Channel<int> ended;
    std::thread reader([&] { say_idle_until_input_ends(ended); });
    wait_for_end_of_input(ended);
    reader.join();
  } else {
    auto queued = weft::spawn([] { all_wait(); }, {.name = "queued"});
    all_wait();
    queued.join_uncancellable();
  }
  orders.close();
  ledger.unlock();
  sleeper.cancel();
  (void)listener.close();
  for (auto* handle : {&joiner, &receiver, &nameless, &writer, &acceptor}) handle->join_uncancellable();
}

}  // namespace

int main(int argc, char** argv) {
  const bool idle = argc > 1 && std::string_view(argv[1]) == "idle";
  weft::run([&] { run_fibers(idle); });
  return 0;
}
