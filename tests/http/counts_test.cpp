// SPDX-License-Identifier: Apache-2.0
// What a request on a kept-alive connection costs at full speed: one receive, one send or its share of one
// call that sends several, no epoll_ctl, no allocation, and next to nothing else (its polls: polls_test.cpp).
// What a connection costs that says nothing: nothing.
#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "http/wrk_load.hpp"
#include "sys/fault.hpp"

#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>
#include <weft/monitor.hpp>
#include <weft/run.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <poll.h>
#include <vector>

namespace {

constinit weft::Atomic<bool> counting_allocations{false};
constinit weft::Atomic<std::uint64_t> allocations{0};

}  // namespace

// The sanitizers bring an operator new of their own, which sees more than a count: there it stays.
#if !WEFT_ASAN && !WEFT_TSAN

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  if (counting_allocations.load(weft::relaxed)) allocations.fetch_add(1, weft::relaxed);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The other forms (arrays, nothrow) go through these.
void* operator new(std::size_t size) { return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif

namespace weft::http::test {
namespace {

using namespace std::chrono_literals;
using sys::Call;

constexpr int kRequests = 125;  // of a connection, in each round
constexpr int kRounds = 20;
constexpr std::uint64_t kRequestsInAll = std::uint64_t{kConnections} * kRequests * kRounds;
struct Cost {
  sys::CallCounts calls;
  // Other calls than receives, sends and polls, but for the monitor's; the median of the rounds.
  double others_per_request = 0;
  std::uint64_t allocations = 0;
};

struct LeastCost {
  std::uint64_t allocations = 0;
  double others_per_request = 0.01;
};

void expect_least_cost(const Cost& cost, bool batches, const LeastCost& most = {}) {
  EXPECT_GE(cost.calls[Call::recv], kRequestsInAll);
  // A wake-up may find nothing: at most one request in a hundred pays for that.
  EXPECT_LE(cost.calls[Call::recv], kRequestsInAll + kRequestsInAll / 100);
  // Each is sent once, by itself or as one of several.
  EXPECT_EQ(cost.calls[Call::send] + cost.calls[Call::ring_send], kRequestsInAll);
  EXPECT_LE(cost.calls[Call::send] + cost.calls[Call::ring_enter], kRequestsInAll);
  EXPECT_LE(cost.calls[Call::ring_enter], cost.calls[Call::ring_send] / 2);
  if (!batches) {
    EXPECT_EQ(cost.calls[Call::send], kRequestsInAll);
  }
  EXPECT_EQ(cost.calls.epoll_ctl(), 0u);
  EXPECT_LE(cost.allocations, most.allocations);
  EXPECT_LE(cost.others_per_request, most.others_per_request) << "futexes: " << cost.calls.futex();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::uint64_t others(const sys::CallCounts& calls) {
  return calls.total() - calls[Call::recv] - calls[Call::send] - calls[Call::ring_enter] -
         calls[Call::epoll_wait];
}

/// The monitor sleeps for 10 ms between two looks, and wakes whom it finds stuck: so many calls it makes
/// however few requests the host lets through meanwhile.
double calls_of_monitor(std::chrono::steady_clock::duration time) {
  return 2.0 * std::ceil(std::chrono::duration<double>(time) / 10ms);
}

Cost measure(Load& load) {
  const sys::CallCounter counter;
  std::vector<double> other_calls;
  allocations.store(0, relaxed);
  for (int i = 0; i < kRounds; ++i) {
    const std::uint64_t others_before = others(counter.counts());
    const auto start = std::chrono::steady_clock::now();
    counting_allocations.store(true, relaxed);
    load.ask(kRequests);
    counting_allocations.store(false, relaxed);  // or it would be those of a look at an idle process
    const auto calls = static_cast<double>(others(counter.counts()) - others_before);
    other_calls.push_back(std::max(0.0, calls - calls_of_monitor(std::chrono::steady_clock::now() - start)));
  }
  return {.calls = counter.counts(),
          .others_per_request = median(other_calls) / (kConnections * kRequests),
          .allocations = allocations.load(relaxed)};
}

/// By a fiber of the context that serves. The load has a thread of its own, which it may block.
Cost serve_and_measure(bool batches) {
  set_stuck_report_after(0ms);  // where the host gives the thread no CPU, a report would allocate
  Server server;
  server.get("/hello", [](const Request&, Response& response) { response.text(kBody); });
  const net::SocketAddress address = server.start("127.0.0.1:0", {.batch_responses = batches}).value();
  Cost cost;
  IsolatedContext driver("driver", [&] {
    const OnCpu load_cpu(1);
    Load load(address.port());
    cost = measure(load);
    EXPECT_TRUE(load.good());
    server.stop();
  });
  EXPECT_TRUE(server.wait());
  driver.join_uncancellable();
  return cost;
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTheDefaultContext) {
  const OnCpu server_cpu(0);
  weft::run([] { expect_least_cost(serve_and_measure(true), true); });
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseWithoutBatches) {
  const OnCpu server_cpu(0);
  weft::run([] { expect_least_cost(serve_and_measure(false), false); });
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTwoThreadsThatShareTheWork) {
  // A thread that has its first responses to put off allocates room for them; the second may be late.
  constexpr std::uint64_t kOnce = 4;
  // Siblings are woken for a burst: 0.001 to 0.003 where the threads have their CPUs, 0.027 where other
  // processes want them, too. A wake-up for each poll would be 0.08 and more.
  constexpr double kBursts = 0.05;
  ParallelContext context("serve", {.parallelism = 2});
  context.spawn([] {
           expect_least_cost(serve_and_measure(true), true, {kOnce, kBursts});
         })
      .join_uncancellable();
}

/// By the system call itself, which is not counted.
void pass_real_time(std::chrono::milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

/// Waits until nothing is called for a while. False: it never was.
bool settle(sys::CallCounter& counter) {
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (std::chrono::steady_clock::now() < end) {
    counter.reset();
    pass_real_time(200ms);
    if (counter.counts().total() == 0) return true;
  }
  return false;
}

TEST(IdleCounts, AHundredIdleConnectionsMakeNoSystemCallInTenSeconds) {
  weft::run([] {
    Server server;
    server.get("/hello", [](const Request&, Response& response) { response.text(kBody); });
    const net::SocketAddress address = server.start("127.0.0.1:0").value();
    IsolatedContext driver("driver", [&] {
      std::vector<std::unique_ptr<Client>> clients;
      for (int i = 0; i < 100; ++i) {
        clients.push_back(std::make_unique<Client>(address.port()));
        clients.back()->ask();
        clients.back()->expect_answer();
        EXPECT_TRUE(clients.back()->good());
      }
      sys::CallCounter counter;
      EXPECT_TRUE(settle(counter));
      pass_real_time(10s);
      EXPECT_EQ(counter.counts().total(), 0u);
      server.stop();
    });
    EXPECT_TRUE(server.wait());
    driver.join_uncancellable();
  });
}

#if !WEFT_ASAN && !WEFT_TSAN
TEST(RequestCounts, AnAllocationWouldBeCounted) {
  allocations.store(0, relaxed);
  counting_allocations.store(true, relaxed);
  // Called by name: unlike a new-expression no compiler may leave that out.
  ::operator delete(::operator new(100));
  counting_allocations.store(false, relaxed);
  EXPECT_EQ(allocations.load(relaxed), 1u);
}
#endif

}  // namespace
}  // namespace weft::http::test
