// SPDX-License-Identifier: Apache-2.0
// std::bad_alloc anywhere in a connection's fiber ended the server (many half-sent heads under a memory
// limit); in start() it left acceptors behind; in route() it left a pattern to the next route's handler;
// three of the nine allocations of a first run() failed inside noexcept. So: for every n, the n-th allocation
// fails.
//
// A program of its own, as it replaces operator new.

#include "base/atomic.hpp"

#include <weft/weft.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>
#include <gtest/gtest.h>

namespace {

// At 1 the next allocation fails; 0: none does.
constinit weft::Atomic<std::int64_t> countdown{0};
constinit weft::Atomic<std::int64_t> alive{0};
// A client's thread, and the test's own code.
thread_local constinit bool spared = false;

bool fails_now() noexcept {
  if (spared) return false;
  std::int64_t left = countdown.load(weft::relaxed);
  while (left > 0) {
    if (countdown.compare_exchange_weak(left, left - 1, weft::relaxed, weft::relaxed)) return left == 1;
  }
  return false;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails_now()) throw std::bad_alloc();
  void* const memory =
      std::aligned_alloc(alignment, (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  alive.fetch_add(1, weft::relaxed);
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) alive.fetch_sub(1, weft::relaxed);
  std::free(memory);
}

/// While it lives, the n-th allocation from here on fails.
class FailingAllocation {
 public:
  explicit FailingAllocation(int n) noexcept { countdown.store(n, weft::seq_cst); }
  ~FailingAllocation() { countdown.store(0, weft::seq_cst); }
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  bool has_failed() const noexcept { return countdown.load(weft::seq_cst) == 0; }
};

}  // namespace

void* operator new(std::size_t size) { return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace weft {
namespace {

constexpr int kMost = 1000;  // allocations that are looked for; far more than there are

// -- a client that allocates nothing of the library's

class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  PlainClient(PlainClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  PlainClient& operator=(PlainClient&&) = delete;
  ~PlainClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  void send(std::string_view text) const {
    [[maybe_unused]] const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  std::string read_to_end() const {
    std::string all;
    char part[4096];
    for (ssize_t n; (n = ::recv(fd_, part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int fd_;
  bool connected_;
};

std::string reply_to(std::uint16_t port, std::string_view request) {
  const PlainClient client(port);
  client.send(request);
  return client.read_to_end();
}

/// Runs `body` on a plain thread, whose allocations never fail, while the calling fiber waits.
void as_client(const std::function<void()>& body) {
  spared = true;
  Latch done(1);
  std::thread thread([&] {
    spared = true;
    body();
    done.count_down();
  });
  spared = false;
  done.wait_uncancellable();
  thread.join();
}

constexpr std::string_view kEnd = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";

std::string get(std::string_view path) { return "GET " + std::string(path) + std::string(kEnd) + "\r\n"; }

void add_routes(http::Server& server) {
  server.get("/", [](const http::Request&, http::Response& response) { response.text("hello"); });
  server.get("/large",
             [](const http::Request&, http::Response& response) { response.text(std::string(50'000, 'x')); });
  server.post("/echo", [](const http::Request& request, http::Response& response) {
    const Result<std::string> body = request.read_all();
    if (body) response.text(*body);
  });
  server.get("/throw", [](const http::Request&, http::Response&) { throw std::runtime_error("planned"); });
}

// -- an exchange

/// A reply, or the end of the connection.
void expect_an_ending(const std::string& reply) {
  if (reply.empty()) return;
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 ")) << reply.substr(0, 100);
}

// Each holds a block more than the last, which has to be allocated.
void exchanges(std::uint16_t port, std::vector<PlainClient>& half_sent) {
  half_sent.emplace_back(port);
  half_sent.back().send("GET / HT");
  expect_an_ending(reply_to(port, get("/")));
  expect_an_ending(reply_to(port, get("/large")));
  expect_an_ending(reply_to(port, get("/throw")));
  expect_an_ending(reply_to(port, get("/none")));
  expect_an_ending(reply_to(port, "PUT /" + std::string(kEnd) + "\r\n"));
  expect_an_ending(reply_to(
      port, "POST /echo" + std::string(kEnd) + "Content-Length: 20000\r\n\r\n" + std::string(20'000, 'b')));
  expect_an_ending(reply_to(
      port, "POST /echo" + std::string(kEnd) + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

int fail_each_allocation_of_an_exchange() {
  int failures = 0;
  run([&] {
    http::Server server;
    add_routes(server);
    const std::uint16_t port = server.start("127.0.0.1:0").value().port();
    std::vector<PlainClient> half_sent;
    for (bool failed = true; failed && failures < kMost;) {
      {
        const FailingAllocation plan(failures + 1);
        as_client([&] { exchanges(port, half_sent); });
        failed = plan.has_failed();
      }
      if (failed) ++failures;
      as_client([&] { EXPECT_TRUE(reply_to(port, get("/")).ends_with("hello")) << failures; });
    }
    half_sent.clear();
  });
  return failures;
}

TEST(AllocationFailure, InAnExchangeEndsItOrItsConnectionAndNothingElse) {
  EXPECT_GT(fail_each_allocation_of_an_exchange(), 5) << "the allocations were not seen";
  // How often a body's buffer grows, and how many blocks are used at once, depends on how the bytes come: a
  // cache may be larger after a round. What leaks is lost in every round.
  std::int64_t kept = 0;
  for (int round = 0; round < 10; ++round) {
    const std::int64_t before = alive.load(relaxed);
    EXPECT_LT(fail_each_allocation_of_an_exchange(), kMost);
    kept = alive.load(relaxed) - before;
    if (kept == 0) return;
  }
  ADD_FAILURE() << kept << " allocations leaked, or freed twice, in each round";
}

// -- start()

std::uint16_t free_port() {
  http::Server server;
  return server.start("127.0.0.1:0").value().port();
}

TEST(AllocationFailure, OfStartServesNothingAndLeavesNoAcceptorBehind) {
  run([] {
    ConcurrentContext first("first");
    ConcurrentContext second("second");
    const std::uint16_t port = free_port();
    const std::string address = "127.0.0.1:" + std::to_string(port);
    const http::ServeOptions options{.contexts = {&first, &second}};
    int failures = 0;
    for (bool failed = true; failed && failures < kMost;) {
      http::Server server;
      add_routes(server);
      bool started = false;
      {
        const FailingAllocation plan(failures + 1);
        try {
          started = server.start(address, options).has_value();
        } catch (const std::bad_alloc&) {}
        failed = plan.has_failed();
      }
      if (failed) ++failures;
      if (!started) {
        as_client([&] { EXPECT_FALSE(PlainClient(port).connected()) << failures; });
        EXPECT_EQ(server.counters().connections, 0u);
        EXPECT_TRUE(server.start(address, options)) << failures;
      }
      as_client([&] { EXPECT_TRUE(reply_to(port, get("/")).ends_with("hello")) << failures; });
    }
    EXPECT_GT(failures, 3);
    EXPECT_LT(failures, kMost);
  });
}

// -- route()

TEST(AllocationFailure, OfARouteAddsNothing) {
  run([] {
    int failures = 0;
    for (bool failed = true; failed && failures < kMost;) {
      http::Server server;
      add_routes(server);
      const http::Handler secret = [](const http::Request&, http::Response& response) {
        response.text("secret");
      };
      {
        http::Handler opened = [](const http::Request&, http::Response& response) { response.text("open"); };
        const FailingAllocation plan(failures + 1);
        try {
          server.get("/a-public-place/of-long-names/:identification", std::move(opened));
        } catch (const std::bad_alloc&) {}
        failed = plan.has_failed();
      }
      if (failed) ++failures;
      server.get("/admin", secret);
      const std::uint16_t port = server.start("127.0.0.1:0").value().port();
      as_client([&] {
        const std::string opened = reply_to(port, get("/a-public-place/of-long-names/7"));
        EXPECT_TRUE(failed ? opened.starts_with("HTTP/1.1 404 ") : opened.ends_with("open")) << opened;
        EXPECT_TRUE(reply_to(port, get("/admin")).ends_with("secret"));
      });
    }
    EXPECT_GT(failures, 2);
    EXPECT_LT(failures, kMost);
  });
}

// -- the first run() of a process

constexpr int kFailed = 0;
constexpr int kNothingToFail = 3;

/// In a process that has not run anything yet.
[[noreturn]] void first_run(int n, const RunOptions& options) {
  bool failed = false;
  {
    const FailingAllocation plan(n);
    try {
      run(options, [] {
        ConcurrentContext concurrent("concurrent");
        ParallelContext parallel("parallel", {.parallelism = 2});
        IsolatedContext isolated("isolated", [] {});
        concurrent.spawn([] {}).join_uncancellable();
        parallel.spawn([] { yield(); }).join_uncancellable();
        isolated.join_uncancellable();
      });
    } catch (const std::bad_alloc&) {}
    failed = plan.has_failed();
  }
  EXPECT_EQ(run([] { return 5; }), 5) << "and it works when there is memory again";
  std::exit(testing::Test::HasFailure() ? 1 : failed ? kFailed : kNothingToFail);
}

class FirstRunDeathTest : public testing::TestWithParam<EventLoopStrategy> {
 protected:
  void expect_exceptions_only(const RunOptions& options) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    int status = kFailed;
    int n = 0;
    while (status == kFailed && n < kMost) {
      ++n;
      EXPECT_EXIT(
          first_run(n, options),
          [&](int ended) {
            status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
            return status == kFailed || status == kNothingToFail;
          },
          "")
          << "allocation " << n;
    }
    EXPECT_GT(n, 5);
    EXPECT_EQ(status, kNothingToFail);
  }
};
INSTANTIATE_TEST_SUITE_P(, FirstRunDeathTest, testing::ValuesIn(EventLoopStrategy::named()));

TEST_P(FirstRunDeathTest, EachAllocationThatFailsIsAnExceptionOnOneThread) {
  expect_exceptions_only({.parallelism = 1, .strategy = GetParam()});
}

TEST_P(FirstRunDeathTest, EachAllocationThatFailsIsAnExceptionOnTwoThreads) {
  expect_exceptions_only({.parallelism = 2, .strategy = GetParam()});
}

}  // namespace
}  // namespace weft
