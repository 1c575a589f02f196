// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"
#include "parts.hpp"
#include "serve_counters.hpp"
#include "server_process.hpp"

#include <weft/weft.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr std::uint32_t kFibersEach = 4;  // in each context
/// Small on both sides, so that a write often has to wait: that is when a socket is transferred.
constexpr int kLineBufferSize = 4096;
constexpr std::size_t kQueued = 64;

const std::string& line() {
  static const std::string text(127, 'x');
  static const std::string whole = text + "\n";
  return whole;
}

/// One socket, and who reads it: in a context of its own.
class Console {
 public:
  Console() {
    reader_.spawn([this] { connect(); }).join_uncancellable();
    reader_.spawn([this] { read_all(); });
  }
  ~Console() { static_cast<void>(stream_.shutdown(net::ShutdownMode::kWrite)); }

  net::TcpStream& stream() { return stream_; }

 private:
  void connect() {
    net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0").value();
    stream_ = net::TcpStream::connect(listener.local_address().value()).value();
    static_cast<void>(stream_.set_send_buffer_size(kLineBufferSize));
    peer_ = listener.accept().value();
    static_cast<void>(peer_.set_receive_buffer_size(kLineBufferSize));
  }
  void read_all() {
    std::array<std::byte, 4096> buffer;
    while (peer_.read_some(buffer)) {}
  }

  net::TcpStream stream_;
  net::TcpStream peer_;
  ConcurrentContext reader_{"reader"};
};

using Contexts = std::vector<std::unique_ptr<ConcurrentContext>>;

/// Has every context's fibers print until the time is up: the lines.
template <class Print>
double print_from(const Contexts& contexts, double seconds, Print&& print) {
  const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  std::vector<JoinHandle<double>> fibers;
  for (const auto& context : contexts) {
    for (std::uint32_t i = 0; i < kFibersEach; ++i) {
      fibers.push_back(context->spawn([&print, end_ns] {
        double lines = 0;
        while (now_ns() < end_ns && print()) ++lines;
        return lines;
      }));
    }
  }
  double total = 0;
  for (auto& fiber : fibers) total += fiber.join_uncancellable();
  return total;
}

double print_directly(const Contexts& contexts, double seconds) {
  Console console;
  Mutex mutex;
  return print_from(contexts, seconds, [&] {
    const std::scoped_lock lock(mutex);
    return console.stream().write_all(line()).has_value();
  });
}

double print_through_a_channel(const Contexts& contexts, double seconds) {
  Console console;
  Channel<std::string> lines(kQueued);
  auto writer = contexts.front()->spawn([&] {
    while (Result<std::string> next = lines.receive()) {
      if (!console.stream().write_all(*next)) return;
    }
  });
  const double count =
      print_from(contexts, seconds, [&] { return lines.send(std::string(line())).has_value(); });
  lines.close();
  writer.join_uncancellable();
  return count;
}

/// Lines each second, and what the counters say of each.
template <class Way>
nlohmann::json measure(const PartCommand& command, Way&& way) {
  Contexts contexts;
  for (std::uint32_t i = 0; i < command.threads; ++i)
    contexts.push_back(std::make_unique<ConcurrentContext>("printer-" + std::to_string(i)));
  const Counters before = parse_counters(counters_json());
  std::vector<double> rates;
  double lines = 0;
  for (std::uint32_t round = 0; round < command.rounds; ++round) {
    const std::int64_t start_ns = now_ns();
    const double count = way(contexts, command.seconds / command.rounds);
    rates.push_back(count * 1e9 / static_cast<double>(now_ns() - start_ns));
    lines += count;
  }
  const Counters after = parse_counters(counters_json());
  nlohmann::json result{{"lines_per_second", rates}};
  for (const auto& [name, value] : after) result["per_line"][name] = (value - before.at(name)) / lines;
  return result;
}

}  // namespace

int run_bounce_part(const PartCommand& command) {
  return run([&] {
    const nlohmann::json results{{"mutex", measure(command, print_directly)},
                                 {"channel", measure(command, print_through_a_channel)}};
    std::printf("%s\n", results.dump().c_str());
    std::fflush(stdout);
  });
}

}  // namespace weft::tool::compare
