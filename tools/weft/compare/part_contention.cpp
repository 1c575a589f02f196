// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"
#include "fiber/baton.hpp"
#include "parts.hpp"
#include "serve_counters.hpp"
#include "server_process.hpp"

#include <weft/weft.hpp>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr int kPairs = 16;
constexpr int kBatch = 64;  // between two looks at the clock

/// Two fibers that wake each other, each in its context.
class Pair {
 public:
  virtual ~Pair() = default;
  /// One wake-up of the other side, and one back. False: it is over.
  virtual bool go_and_return() = 0;
  /// The other side, until stop().
  virtual void return_all() = 0;
  virtual void stop() = 0;
};

class BatonPair final : public Pair {
 public:
  bool go_and_return() override {
    there_.give();
    back_.take();
    return true;
  }
  void return_all() override {
    for (;;) {
      there_.take();
      if (stopped_) return;
      back_.give();
    }
  }
  void stop() override {
    stopped_ = true;
    there_.give();
  }

 private:
  Baton there_;
  Baton back_;
  bool stopped_ = false;  // handed over with the baton
};

/// The same with a byte over a connection: the wake-up comes from an event loop.
class SocketPair final : public Pair {
 public:
  explicit SocketPair(net::TcpListener& listener)
      : near_(net::TcpStream::connect(listener.local_address().value()).value()),
        far_(listener.accept().value()) {}

  bool go_and_return() override { return send(near_) && receive(near_); }
  void return_all() override {
    while (receive(far_) && send(far_)) {}
  }
  void stop() override { static_cast<void>(near_.shutdown(net::ShutdownMode::kWrite)); }

 private:
  static bool send(net::TcpStream& stream) {
    const std::byte byte{1};
    return stream.write_all(std::span(&byte, 1)).has_value();
  }
  static bool receive(net::TcpStream& stream) {
    std::byte byte{};
    return stream.read_exact(std::span(&byte, 1)).has_value();
  }

  net::TcpStream near_;
  net::TcpStream far_;
};

using Pairs = std::vector<std::unique_ptr<Pair>>;

Pairs baton_pairs() {
  Pairs pairs;
  for (int i = 0; i < kPairs; ++i) pairs.push_back(std::make_unique<BatonPair>());
  return pairs;
}

Pairs socket_pairs() {
  net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0").value();
  Pairs pairs;
  for (int i = 0; i < kPairs; ++i) pairs.push_back(std::make_unique<SocketPair>(listener));
  return pairs;
}

/// Wake-ups that the near sides of all pairs made in `seconds`, each way counted.
double wake(ExecutionContext& near, const Pairs& pairs, double seconds) {
  const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  std::vector<JoinHandle<double>> fibers;
  for (const auto& pair : pairs) {
    fibers.push_back(near.spawn([&pair, end_ns] {
      double count = 0;
      while (now_ns() < end_ns) {
        for (int i = 0; i < kBatch; ++i, count += 2) {
          if (!pair->go_and_return()) return count;
        }
      }
      return count;
    }));
  }
  double total = 0;
  for (auto& fiber : fibers) total += fiber.join_uncancellable();
  return total;
}

/// ns for each wake-up, and what the counters say of it.
nlohmann::json measure(ExecutionContext& near, ExecutionContext& far, const Pairs& pairs,
                       const PartCommand& command) {
  std::vector<JoinHandle<void>> others;
  for (const auto& pair : pairs) others.push_back(far.spawn([&pair] { pair->return_all(); }));
  wake(near, pairs, command.seconds / 10);
  const Counters before = parse_counters(counters_json());
  std::vector<double> ns;
  double wakeups = 0;
  for (std::uint32_t round = 0; round < command.rounds; ++round) {
    const std::int64_t start_ns = now_ns();
    const double count = wake(near, pairs, command.seconds / command.rounds);
    ns.push_back(static_cast<double>(now_ns() - start_ns) / count);
    wakeups += count;
  }
  const Counters after = parse_counters(counters_json());
  for (const auto& pair : pairs) pair->stop();
  for (auto& other : others) other.join_uncancellable();
  nlohmann::json result{{"ns_per_wakeup", ns}};
  for (const auto& [name, value] : after) result["per_wakeup"][name] = (value - before.at(name)) / wakeups;
  return result;
}

void measure_all(const PartCommand& command) {
  ConcurrentContext one("one");
  ConcurrentContext other("other");
  const Pairs batons = baton_pairs();
  nlohmann::json results;
  results["fiber, one context"] = measure(one, one, batons, command);
  const Pairs more_batons = baton_pairs();
  results["fiber, two contexts"] = measure(one, other, more_batons, command);
  const Pairs near = one.spawn([] { return socket_pairs(); }).join_uncancellable();
  results["socket, one context"] = measure(one, one, near, command);
  const Pairs far = one.spawn([] { return socket_pairs(); }).join_uncancellable();
  results["socket, two contexts"] = measure(one, other, far, command);
  std::printf("%s\n", results.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int run_contention_part(const PartCommand& command) {
  return run([&] { measure_all(command); });
}

}  // namespace weft::tool::compare
