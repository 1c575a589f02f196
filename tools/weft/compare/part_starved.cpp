// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"
#include "parts.hpp"
#include "statistics.hpp"

#include <weft/weft.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr int kConnections = 8;
constexpr std::chrono::milliseconds kBusyFor{5};
constexpr std::chrono::microseconds kPause{100};

/// A plain thread that sends the time over one connection after the other, at random moments.
class Sender {
 public:
  explicit Sender(std::uint16_t port) {
    for (int& fd : connections_) fd = connect_to(port);
    thread_ = std::thread([this] { send_times(); });
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() {
    stop_.store(true);
    thread_.join();
    for (const int fd : connections_) close(fd);
  }

 private:
  static int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    return fd;
  }

  void send_times() {
    std::mt19937 generator(1);
    std::uniform_real_distribution<double> pause(0.0002, 0.0015);
    for (std::size_t i = 0; !stop_.load(); ++i) {
      sleep_seconds(pause(generator));
      const std::int64_t now = now_ns();
      if (send(connections_[i % kConnections], &now, sizeof now, MSG_NOSIGNAL) != sizeof now) return;
    }
  }

  std::array<int, kConnections> connections_{};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// The context whose sockets become ready: one thread, so its samples need no lock.
class Receiver {
 public:
  /// The port it listens at; by a fiber.
  std::uint16_t start() {
    return context_
        .spawn([this] {
          listener_ = net::TcpListener::bind("127.0.0.1:0").value();
          spawn([this] { accept_all(); });
          return listener_.local_address().value().port();
        })
        .join_uncancellable();
  }

  /// How late the events since the last call were noticed, in us.
  std::vector<double> take() {
    return context_.spawn([this] { return std::exchange(late_us_, {}); }).join_uncancellable();
  }

 private:
  void accept_all() {
    while (Result<net::TcpStream> stream = listener_.accept()) {
      spawn([this, stream = std::move(*stream)]() mutable { receive_all(stream); });
    }
  }

  void receive_all(net::TcpStream& stream) {
    std::int64_t sent_ns = 0;
    while (stream.read_exact(std::as_writable_bytes(std::span(&sent_ns, 1)))) {
      late_us_.push_back(static_cast<double>(now_ns() - sent_ns) / 1e3);
    }
  }

  net::TcpListener listener_;
  std::vector<double> late_us_;
  ConcurrentContext context_{"receiver"};
};

/// Computes, then waits for a moment, so that the thread now and then has the duty to poll, and takes it
/// along.
void be_busy(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    const auto end = std::chrono::steady_clock::now() + kBusyFor;
    while (std::chrono::steady_clock::now() < end) {}
    if (!sleep(kPause)) return;
  }
}

void wait_for(double seconds) {
  static_cast<void>(sleep(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9))));
}

void append(std::vector<double>& all, const std::vector<double>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

nlohmann::json summary(const std::vector<double>& late_us) {
  if (late_us.empty()) return nullptr;
  return {{"p50_us", median(late_us)},
          {"p99_us", quantile(late_us, 0.99)},
          {"max_us", quantile(late_us, 1)},
          {"events", late_us.size()}};
}

void measure(const PartCommand& command) {
  Receiver receiver;
  ParallelContext busy("busy", {.parallelism = command.threads});
  const Sender sender(receiver.start());
  std::vector<double> quiet_us, busy_us;
  wait_for(0.05);
  for (std::uint32_t round = 0; round < command.rounds; ++round) {
    receiver.take();
    wait_for(command.seconds);
    append(quiet_us, receiver.take());
    std::atomic<bool> stop{false};
    std::vector<JoinHandle<void>> fibers;
    for (std::uint32_t i = 0; i < command.threads; ++i) fibers.push_back(busy.spawn([&] { be_busy(stop); }));
    wait_for(command.seconds);
    append(busy_us, receiver.take());
    stop.store(true);
    for (auto& fiber : fibers) fiber.join_uncancellable();
  }
  const nlohmann::json result{{"quiet", summary(quiet_us)}, {"busy", summary(busy_us)}};
  std::printf("%s\n", result.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int run_starved_part(const PartCommand& command) {
  return run([&] { measure(command); });
}

}  // namespace weft::tool::compare
