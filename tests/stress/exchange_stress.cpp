// SPDX-License-Identifier: Apache-2.0
// Questions and answers whose writes are put off (docs/design/write-batch.md), for WEFT_STRESS_SECONDS:
// between contexts of random strategies, one of which changes its size, with reads that time out, fibers that
// are cancelled, streams that are closed, writes that are cut short, and fibers that keep their thread until
// the monitor comes. Every byte of every answer is checked; a lost wake-up hangs, and the watchdog says so.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "support/contexts.hpp"
#include "support/stress.hpp"
#include "support/tcp.hpp"
#include "sys/fault.hpp"

#include <weft/event_loop_strategy.hpp>
#include <weft/execution_context.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;

constexpr int kClients = 24;
constexpr std::size_t kQuestionMax = 2300;  // some do not fit a slot

struct Tally {
  Watchdog& watchdog;
  Atomic<std::uint64_t> answers{0};
  Atomic<std::uint64_t> timeouts{0};
  Atomic<std::uint64_t> cancelled{0};
  Atomic<std::uint64_t> wrong{0};
};

Deadline soon_or_never(Random& random) {
  return random() % 4 == 0 ? Deadline::after(std::chrono::microseconds(random() % 2000)) : Deadline::never();
}

/// A read that may time out is tried again: all was written before.
Result<std::size_t> exchange(net::TcpStream& stream, std::span<const std::byte> data,
                             std::span<std::byte> buffer, Random& random, Tally& tally) {
  Result<std::size_t> size = stream.write_then_read_some_until(data, buffer, {.read = soon_or_never(random)});
  while (!size && size.error() == make_error_code(Errc::timed_out)) {
    tally.timeouts.fetch_add(1, relaxed);
    size = stream.read_some_until(buffer, soon_or_never(random));
  }
  return size;
}

void echo(net::TcpStream stream, unsigned seed, Tally& tally) {
  Random random(seed);
  std::array<std::byte, 4096> buffer;
  Result<std::size_t> size = stream.read_some(buffer);
  while (size) {
    if (random() % 500 == 0) {  // keeps its thread until the monitor has looked
      const auto end = std::chrono::steady_clock::now() + 25ms;
      while (std::chrono::steady_clock::now() < end) {}
    }
    size = exchange(stream, std::span(buffer).first(*size), buffer, random, tally);
  }
}

/// What comes back is what was asked, byte by byte. False: the stream has ended, or the fiber was cancelled.
bool ask(net::TcpStream& stream, Random& random, Tally& tally) {
  std::string question(1 + random() % kQuestionMax, '\0');
  for (char& byte : question) byte = static_cast<char>(random());
  std::array<std::byte, 4096> buffer;
  Result<std::size_t> size = exchange(stream, bytes(question), buffer, random, tally);
  for (std::size_t seen = 0;;) {
    if (!size) return false;
    const auto expected = bytes(question).subspan(seen).first(std::min(*size, question.size() - seen));
    if (*size > question.size() - seen || !std::ranges::equal(std::span(buffer).first(*size), expected)) {
      tally.wrong.fetch_add(1, relaxed);
      return false;
    }
    seen += *size;
    if (seen == question.size()) break;
    size = stream.read_some(buffer);
  }
  tally.answers.fetch_add(1, relaxed);
  tally.watchdog.progress.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void client(const net::SocketAddress& address, unsigned seed, const Atomic<bool>& over, Tally& tally) {
  Random random(seed);
  while (!over.load(relaxed)) {
    Result<net::TcpStream> stream = net::TcpStream::connect(address);
    if (!stream) return tally.cancelled.fetch_add(1, relaxed), void();
    const auto questions = static_cast<unsigned>(1 + random() % 200);
    for (unsigned i = 0; i < questions; ++i) {
      if (!ask(*stream, random, tally)) return tally.cancelled.fetch_add(1, relaxed), void();
    }
  }
}

EventLoopStrategy any_strategy(Random& random) {
  const auto named = EventLoopStrategy::named();
  return named[random() % named.size()];
}

void one_round(unsigned seed, std::chrono::milliseconds length, Tally& tally) {
  Random random(seed);
  ParallelContext serving("serving", {.parallelism = 2});
  ConcurrentContext asking("asking", {.strategy = any_strategy(random)});
  net::SocketAddress address;
  Atomic<bool> over{false};
  net::TcpListener listener;
  serving
      .spawn([&] {
        listener = net::TcpListener::bind("127.0.0.1:0").value();
        address = listener.local_address().value();
      })
      .join_uncancellable();
  auto acceptor = serving.spawn([&] {
    for (unsigned i = 0; auto stream = listener.accept(); ++i)
      spawn([&tally, seed, i, stream = std::move(*stream)]() mutable {
        echo(std::move(stream), seed + i, tally);
      }).detach();
  });
  std::vector<JoinHandle<void>> clients;
  for (unsigned i = 0; i < kClients; ++i)
    clients.push_back(asking.spawn([&, i] { client(address, seed ^ i, over, tally); }));
  sys::FaultPlan faults;
  ConcurrentContext("disturbing")
      .spawn([&] {
        for (const auto end = std::chrono::steady_clock::now() + length;
             std::chrono::steady_clock::now() < end;) {
          EXPECT_TRUE(sleep(std::chrono::microseconds(random() % 3000)));
          faults.shorten(sys::Call::send, 1 + random() % 100, {.skip = random() % 20});
          if (random() % 4 == 0) serving.resize(static_cast<std::uint32_t>(1 + random() % 3));
          if (random() % 8 == 0) clients[random() % clients.size()].cancel();
        }
      })
      .join_uncancellable();
  over.store(true, relaxed);
  for (auto& handle : clients) handle.join_uncancellable();
  acceptor.cancel();
  acceptor.join_uncancellable();
  serving.spawn([&] { EXPECT_TRUE(listener.close()); }).join_uncancellable();
}

TEST(ExchangeStress, EveryQuestionHasItsAnswer) {
  const StressPlan plan;
  const std::size_t files = [] {
    ConcurrentContext warm("warm");
    return open_files();
  }();
  Watchdog watchdog;
  Tally tally{watchdog};
  unsigned rounds = 0;
  for (const auto end = std::chrono::steady_clock::now() + plan.length;
       std::chrono::steady_clock::now() < end && !HasFailure(); ++rounds) {
    one_round(plan.seed + rounds * 1000, 500ms, tally);
    EXPECT_EQ(tally.wrong.load(relaxed), 0u) << "round " << rounds;
  }
  EXPECT_GT(tally.answers.load(relaxed), 0u);
  EXPECT_LE(open_files(), files);
  std::printf("%u rounds, %llu answers, %llu timeouts, %llu cancelled\n", rounds,
              static_cast<unsigned long long>(tally.answers.load(relaxed)),
              static_cast<unsigned long long>(tally.timeouts.load(relaxed)),
              static_cast<unsigned long long>(tally.cancelled.load(relaxed)));
}

}  // namespace
}  // namespace weft::test
