// SPDX-License-Identifier: Apache-2.0
// What a request on a kept-alive connection costs: one receive, one send or its share of one call that sends
// several, no epoll_ctl, no allocation.
#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "sys/fault.hpp"

#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>
#include <weft/run.hpp>

#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <new>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
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

using sys::Call;

constexpr int kConnections = 8;
constexpr int kWarmUp = 200;
constexpr int kRequests = 2000;
constexpr std::uint64_t kRequestsInAll = std::uint64_t{kConnections} * kRequests;
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
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Whether all were answered; once one was not, no more are made.
  bool request(int times) {
    for (int i = 0; good_ && i < times; ++i) good_ = request_one();
    return good_;
  }

 private:
  bool request_one() {
    if (::send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != std::ssize(kRequest)) return false;
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
  std::uint64_t allocations = 0;
};

/// One thread for each connection; all of them stand still while the marks are set.
class Load {
 public:
  explicit Load(std::uint16_t port) {
    for (int i = 0; i < kConnections; ++i) threads_.emplace_back([this, port] { drive(port); });
  }
  ~Load() {
    for (std::thread& thread : threads_) thread.join();
  }

  Cost measure() {
    still_.arrive_and_wait();  // warm
    const sys::CallCounter counter;
    allocations.store(0, relaxed);
    counting_allocations.store(true, relaxed);
    still_.arrive_and_wait();  // go
    still_.arrive_and_wait();  // done
    counting_allocations.store(false, relaxed);
    const Cost cost{counter.counts(), allocations.load(relaxed)};
    still_.arrive_and_wait();  // counted: the connections may end
    return cost;
  }
  /// How many connections were answered to the end; after measure().
  int answered() const { return answered_.load(relaxed); }

 private:
  void drive(std::uint16_t port) {
    Client client(port);
    client.request(kWarmUp);
    still_.arrive_and_wait();
    still_.arrive_and_wait();
    if (client.request(kRequests)) answered_.fetch_add(1, relaxed);
    still_.arrive_and_wait();
    still_.arrive_and_wait();
  }

  std::barrier<> still_{kConnections + 1};
  Atomic<int> answered_{0};
  std::vector<std::thread> threads_;
};

void expect_least_cost(const Cost& cost, bool batches) {
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
  EXPECT_EQ(cost.allocations, 0u);
}

/// By a fiber of the context that serves. The load has a thread of its own, which it may block.
void serve_and_measure(bool batches = true) {
  Server server;
  server.get("/hello", [](const Request&, Response& response) { response.text(kBody); });
  const net::SocketAddress address = server.start("127.0.0.1:0", {.batch_responses = batches}).value();
  IsolatedContext driver("driver", [&] {
    Load load(address.port());
    expect_least_cost(load.measure(), batches);
    EXPECT_EQ(load.answered(), kConnections);
    server.stop();
  });
  EXPECT_TRUE(server.wait());
  driver.join();
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTheDefaultContext) {
  EXPECT_EQ(weft::run([] { serve_and_measure(); }), 0);
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseInTwoThreadsThatShareTheWork) {
  ParallelContext("serve", {.parallelism = 2}).spawn([] { serve_and_measure(); }).join();
}

TEST(RequestCounts, OneReceiveAndOneSendAndNothingElseWithoutBatches) {
  EXPECT_EQ(weft::run([] { serve_and_measure(false); }), 0);
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
