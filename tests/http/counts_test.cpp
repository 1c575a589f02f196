// SPDX-License-Identifier: Apache-2.0
// What a request on a kept-alive connection costs: one receive, one send or its share of one call that sends
// several, no epoll_ctl, no allocation, no more polls than a loop of no framework, and next to nothing else.
// What a connection costs that says nothing: nothing.
#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "execution_context/context.hpp"
#include "http/bare_server.hpp"
#include "sys/fault.hpp"

#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <new>
#include <poll.h>
#include <sched.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
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

constexpr int kPatienceMs = 30'000;
constexpr int kConnections = 64;
constexpr int kWarmUp = 50;
constexpr int kRequests = 125;  // of a connection, in each round
constexpr int kRounds = 20;
constexpr std::uint64_t kRequestsInAll = std::uint64_t{kConnections} * kRequests * kRounds;
constexpr std::string_view kRequest = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
constexpr std::string_view kBody = "Hello world!";

/// A client of plain blocking system calls: none of them is counted, nothing is allocated.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Once something went wrong, nothing more is done.
  void ask() {
    good_ = good_ && ::send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == std::ssize(kRequest);
  }
  void expect_answer() { good_ = good_ && answered(); }
  bool good() const { return good_; }

  /// In `epoll`, by EPOLL_CTL_ADD or EPOLL_CTL_MOD.
  void wait_for(std::uint32_t events, int epoll, int operation = EPOLL_CTL_MOD) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    good_ = good_ && ::epoll_ctl(epoll, operation, fd_, &event) == 0;
  }

 private:
  bool answered() {
    std::size_t size = 0;
    while (!std::string_view(answer_.data(), size).ends_with(kBody)) {
      const ssize_t more = ::recv(fd_, answer_.data() + size, answer_.size() - size, 0);
      if (more <= 0) return false;
      size += static_cast<std::size_t>(more);
    }
    return std::string_view(answer_.data(), size).starts_with("HTTP/1.1 200 ");
  }

  int fd_;
  bool good_ = false;
  std::array<char, 1024> answer_;
};

struct Cost {
  sys::CallCounts calls;
  // Medians of the rounds.
  double polls_ratio = 0;         // to those of a loop of no framework
  double others_per_request = 0;  // other calls than receives, sends and polls
  std::uint64_t allocations = 0;
};

struct Mark {
  sys::CallCounts calls;
  std::uint64_t polls;
  std::uint64_t polls_of_bare;
};

/// Asks as wrk does: an answer that was read makes it wait for the socket to be writable, then it asks again.
class Load {
 public:
  explicit Load(std::uint16_t port) {
    for (int i = 0; i < kConnections; ++i) {
      clients_.push_back(std::make_unique<Client>(port));
      clients_.back()->wait_for(EPOLLIN, epoll_, EPOLL_CTL_ADD);
    }
    ask(kWarmUp);
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// `times` on each connection, on average.
  void ask(int times) {
    for (const auto& client : clients_) client->ask();
    std::array<epoll_event, kConnections> ready;
    int left = kConnections * (times - 1);  // to be asked
    for (int open = kConnections; open > 0 && good();) {
      const int count = ::epoll_wait(epoll_, ready.data(), kConnections, kPatienceMs);
      stuck_ = count <= 0;
      for (int i = 0; i < count; ++i) {
        if (!go_on(ready[static_cast<std::size_t>(i)], left)) --open;
      }
    }
  }

  /// Whether all were answered.
  bool good() const {
    return !stuck_ && std::ranges::all_of(clients_, [](const auto& client) { return client->good(); });
  }

 private:
  /// False: that was its last answer.
  bool go_on(const epoll_event& event, int& left) const {
    Client& client = *static_cast<Client*>(event.data.ptr);
    if ((event.events & EPOLLIN) == 0) {
      client.ask();
      client.wait_for(EPOLLIN, epoll_);
      return true;
    }
    client.expect_answer();
    if (left-- <= 0) return false;
    client.wait_for(EPOLLIN | EPOLLOUT, epoll_);
    return true;
  }

  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  bool stuck_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
};

void expect_least_cost(const Cost& cost, bool batches, std::uint64_t allocations_max = 0) {
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
  EXPECT_LE(cost.allocations, allocations_max);
  // The monitor's futexes, by the second, and those of siblings that are woken for a burst.
  EXPECT_LE(cost.others_per_request, 0.01) << "futexes: " << cost.calls.futex();
}

/// The calling thread, and those it starts meanwhile, run on that CPU, if there is such a one: a server
/// beside its load on one CPU has fewer polls, and the kernel may move them at any time.
class OnCpu {
 public:
  explicit OnCpu(int number) {
    ::sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(number, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
  }
  ~OnCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  cpu_set_t before_;
};

/// Those that found something: the others are the adaptive spin's.
std::uint64_t polls_of(const Context& context) {
  const EventLoopCounters counters = context.event_loop_counters();
  return counters.polls - counters.empty_polls;
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

/// A loop of no framework takes turns with the server in `context`.
Cost measure(const Context& context, Load& load, Load& load_of_bare, const BareServer& bare) {
  const sys::CallCounter counter;
  std::vector<double> ratios;
  std::vector<double> other_calls;
  allocations.store(0, relaxed);
  for (int i = 0; i < kRounds; ++i) {
    const Mark before{counter.counts(), polls_of(context), bare.polls()};
    counting_allocations.store(true, relaxed);
    load.ask(kRequests);
    counting_allocations.store(false, relaxed);  // or it would be those of a look at an idle process
    other_calls.push_back(static_cast<double>(others(counter.counts() - before.calls)));
    load_of_bare.ask(kRequests);
    ratios.push_back(static_cast<double>(polls_of(context) - before.polls) /
                     static_cast<double>(bare.polls() - before.polls_of_bare));
  }
  return {.calls = counter.counts(),
          .polls_ratio = median(ratios),
          .others_per_request = median(other_calls) / (kConnections * kRequests),
          .allocations = allocations.load(relaxed)};
}

/// By a fiber of the context that serves. The load has a thread of its own, which it may block.
Cost serve_and_measure(bool batches) {
  const Context& context = detail::current_spawn_context();
  Server server;
  server.get("/hello", [](const Request&, Response& response) { response.text(kBody); });
  const net::SocketAddress address = server.start("127.0.0.1:0", {.batch_responses = batches}).value();
  const BareServer bare(kRequest.size());
  Cost cost;
  IsolatedContext driver("driver", [&] {
    const OnCpu load_cpu(1);
    Load load(address.port());
    Load load_of_bare(bare.port());
    cost = measure(context, load, load_of_bare, bare);
    EXPECT_TRUE(load.good());
    EXPECT_TRUE(load_of_bare.good());
    server.stop();
  });
  EXPECT_TRUE(server.wait());
  driver.join();
  return cost;
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTheDefaultContext) {
  const OnCpu server_cpu(0);
  weft::run([] {
    const Cost cost = serve_and_measure(true);
    expect_least_cost(cost, true);
    EXPECT_LE(cost.polls_ratio, 1.1);
  });
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseWithoutBatches) {
  const OnCpu server_cpu(0);
  weft::run([] {
    const Cost cost = serve_and_measure(false);
    expect_least_cost(cost, false);
    EXPECT_LE(cost.polls_ratio, 1.1);
  });
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTwoThreadsThatShareTheWork) {
  // A thread that has its first responses to put off allocates room for them; the second may be late.
  constexpr std::uint64_t kOnce = 4;
  ParallelContext context("serve", {.parallelism = 2});
  context.spawn([] { expect_least_cost(serve_and_measure(true), true, kOnce); }).join();
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
    driver.join();
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
