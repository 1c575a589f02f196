// SPDX-License-Identifier: Apache-2.0
// A cancel storm: each program is run again and again in a simulated world, and cancelled at its k-th
// suspension, for every k until it gets through. Whatever the moment: it ends, and leaves no fiber, file or
// byte behind.
#include <weft/cancel_scope.hpp>
#include <weft/io/buffered_reader.hpp>
#include <weft/io/copy.hpp>
#include <weft/io/pipe.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/net/unix_stream.hpp>
#include <weft/race.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "support/sim_context.hpp"
#include "support/tcp.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// Counts what is alive, and so what was left behind.
class Tracked {
 public:
  Tracked() { ++alive; }
  Tracked(const Tracked&) { ++alive; }
  Tracked& operator=(const Tracked&) = default;
  ~Tracked() { --alive; }
  static inline int alive = 0;

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(100);  // the leak checker sees these
};

// -- the programs: each gets through in a few dozen suspensions, and gives its first error
// ------------------------

Result<void> sleeps() {
  for (int i = 0; i < 5; ++i) {
    if (auto slept = sleep(1ms); !slept) return slept;
    yield();
  }
  return {};
}

Result<void> joins() {
  std::vector<JoinHandle<int>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(spawn([i, guard = Tracked()] {
      const bool slept = sleep(std::chrono::milliseconds(i)).has_value();
      return slept ? i : -1;
    }));
  }
  Result<void> first;
  for (auto& other : others) {
    if (auto joined = other.join_until(Deadline::never()); !joined) {
      first = joined.error();
      other.cancel();
      other.join_uncancellable();
    }
  }
  return first;
}

Result<int> grow(int depth) {
  const Tracked guard;
  if (auto slept = sleep(1ms); !slept) return slept.error();
  if (depth == 0) return 1;
  TaskGroup<int> group;
  for (int i = 0; i < 2; ++i) group.spawn([depth, child = Tracked()] { return grow(depth - 1); });
  auto counts = group.wait();
  if (!counts) return counts.error();
  return (*counts)[0] + (*counts)[1];
}

Result<void> nested_groups() {
  const auto count = grow(3);
  if (!count) return count.error();
  EXPECT_EQ(*count, 8);
  return {};
}

Result<void> completions_and_shields() {
  TaskGroup<Tracked> group;
  for (int i = 0; i < 4; ++i) {
    group.spawn([i]() -> Result<Tracked> {
      CancelScope inner(Deadline::after(1h));
      if (auto slept = sleep(std::chrono::milliseconds(4 - i)); !slept) {
        EXPECT_TRUE(shield([] { return sleep(1ms); }));
        return slept.error();
      }
      return Tracked();
    });
  }
  while (auto result = group.next()) {
    if (!*result) return result->error();
  }
  return {};
}

Result<void> races() {
  const auto slow = [guard = Tracked()]() -> Result<int> {
    if (auto slept = sleep(5ms); !slept) return slept.error();
    return 2;
  };
  const auto won = race(slow, [] { return race([] { return grow(1); }, [] { return grow(2); }); });
  if (!won) return won.error();
  return {};
}

Result<void> serve_one(net::TcpListener& listener) {
  auto stream = listener.accept();
  if (!stream) return stream.error();
  for (;;) {
    auto text = test::read_text(*stream);
    if (!text) return text.error() == Errc::end_of_file ? Result<void>() : text.error();
    if (auto written = stream->write_all(test::bytes(*text)); !written) return written.error();
  }
}

Result<void> ask(const net::SocketAddress& address) {
  auto stream = net::TcpStream::connect(address);
  if (!stream) return stream.error();
  const std::string question(20'000, 'q');
  TaskGroup<void> writer;
  writer.spawn([&]() -> Result<void> {
    if (auto written = stream->write_all(test::bytes(question)); !written) return written.error();
    return stream->shutdown(net::ShutdownMode::kWrite);
  });
  std::size_t size = 0;
  for (;;) {
    auto text = test::read_text(*stream);
    if (!text && text.error() == Errc::end_of_file) break;
    if (!text) return text.error();
    size += text->size();
  }
  EXPECT_EQ(size, question.size());
  return writer.wait();
}

Result<void> sockets() {
  auto listener = net::TcpListener::bind("127.0.0.1:7000");
  if (!listener) return listener.error();
  const net::SocketAddress address = listener->local_address().value();
  TaskGroup<void> group;
  for (int i = 0; i < 2; ++i) {
    group.spawn([&] { return serve_one(*listener); });
    group.spawn([&] { return ask(address); });
  }
  return group.wait();
}

/// One of several writers of one stream: its character, so many times. What was sent is a whole piece, or
/// what the call says; nothing of another's lies within.
Result<void> writers_of_one_stream() {
  auto listener = net::TcpListener::bind("127.0.0.1:7000");
  if (!listener) return listener.error();
  auto client = net::TcpStream::connect(listener->local_address().value());
  if (!client) return client.error();
  auto server = listener->accept();
  if (!server) return server.error();
  std::vector<std::size_t> sent(4);
  std::string got;
  auto reader = spawn([&] {
    while (auto text = test::read_text(*server, 1000)) got += *text;
  });
  TaskGroup<void> group;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    group.spawn([&, i]() -> Result<void> {
      const std::string piece(3'000 + 5'000 * i, static_cast<char>('a' + i));
      const io::Progress written = client->write_all(test::bytes(piece));
      sent[i] = written.bytes();
      if (!written) return written.error();
      return {};
    });
  }
  const Result<void> result = group.wait();
  EXPECT_TRUE(client->close());
  reader.join_uncancellable();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const char c = static_cast<char>('a' + i);
    const std::size_t begin = std::min(got.find(c), got.size());
    EXPECT_EQ(got.substr(begin, sent[i]), std::string(sent[i], c));
    EXPECT_EQ(static_cast<std::size_t>(std::count(got.begin(), got.end(), c)), sent[i]);
  }
  return result;
}

/// A pipe is copied into a Unix socket, whose other end reads lines.
Result<void> pipes_copies_and_lines() {
  auto pipe = io::make_pipe();
  if (!pipe) return pipe.error();
  auto pair = net::UnixStream::pair();
  if (!pair) return pair.error();
  TaskGroup<void> group;
  group.spawn([&]() -> Result<void> {
    for (int i = 0; i < 20; ++i) {
      const std::string line(700, static_cast<char>('a' + i));
      if (auto written = pipe->writer.write_all(line + "\n"); !written) return written.error();
      if (auto slept = sleep(1ms); !slept) return slept;
    }
    return pipe->writer.close();
  });
  group.spawn([&]() -> Result<void> {
    if (auto copied = io::copy(pipe->reader, pair->first); !copied) return copied.error();
    return pair->first.shutdown(net::ShutdownMode::kWrite);
  });
  group.spawn([&]() -> Result<void> {
    io::BufferedReader lines(pair->second);
    for (int i = 0;; ++i) {
      auto line = lines.read_line();
      if (!line && line.error() == Errc::end_of_file) return {};
      if (!line) return line.error();
      EXPECT_EQ(*line, std::string(700, static_cast<char>('a' + i)));
    }
  });
  return group.wait();
}

// -- the storm
// ----------------------------------------------------------------------------------------------------

enum class Source { kScope, kFiber, kDeadline };

/// Runs one program, and cancels it at a moment: after k rounds, in each of which everything runs to its next
/// wait.
class Storm {
 public:
  using Program = Result<void> (*)();

  Storm(Program program, Source source) : program_(program), source_(source) {}

  /// False when the program got through.
  bool cancel_at(int k) {
    SimOptions options;
    options.seed = static_cast<std::uint64_t>(k) + 1;
    options.buffer_size = 4096;
    options.latency_min_ns = options.latency_max_ns = 200'000;
    options.shuffle = true;
    test::SimContext world("world", options);
    const Result<void> result = world.spawn([&] { return run(world, k); }).join_uncancellable();
    detail::Access::core(world).close();
    detail::Access::core(world).wait_until_drained();
    EXPECT_EQ(world.counters().fibers_spawned, world.counters().fibers_finished);
    EXPECT_EQ(Tracked::alive, 0) << "at " << k;
    if (result) return false;
    const std::error_code expected = source_ == Source::kDeadline ? Errc::timed_out : Errc::cancelled;
    // Or what a peer saw that was not ended itself yet: a reset connection.
    EXPECT_TRUE(result.error() == expected || result.error().category() == std::system_category())
        << "at " << k << ": " << result.error().message();
    return true;
  }

 private:
  Result<void> run(test::SimContext& world, int k) {
    std::optional<Result<void>> result;
    CancelScope* scope = nullptr;
    auto fiber = spawn([&] {
      CancelScope own(source_ == Source::kDeadline ? Deadline::after(std::chrono::microseconds(250) * k)
                                                   : Deadline::never());
      scope = &own;
      result = program_();
      scope = nullptr;
    });
    if (source_ != Source::kDeadline) {
      const int rounds = source_ == Source::kScope ? k + 1 : k;  // there is no scope before the first one
      for (int i = 0; i < rounds && !fiber.done(); ++i) step(world);
      if (source_ == Source::kFiber) fiber.cancel();
      if (source_ == Source::kScope && scope != nullptr) scope->cancel();
    }
    fiber.join_uncancellable();
    return *result;
  }

  /// Lets others run: by a yield, and when they all wait, by a short sleep.
  static void step(test::SimContext& world) {
    const std::uint64_t before = world.counters().switches;
    yield();
    if (world.counters().switches - before > 1) return;
    EXPECT_TRUE(sleep(100us));
  }

  const Program program_;
  const Source source_;
};

using Parameters = std::tuple<std::pair<const char*, Storm::Program>, Source>;

class CancelStorm : public testing::TestWithParam<Parameters> {};

std::string storm_name(const testing::TestParamInfo<Parameters>& info) {
  constexpr const char* kSources[] = {"ByScope", "ByFiber", "ByDeadline"};
  return std::string(std::get<0>(info.param).first) + kSources[static_cast<int>(std::get<1>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(
    , CancelStorm,
    testing::Combine(testing::Values(std::pair("Sleeps", &sleeps), std::pair("Joins", &joins),
                                     std::pair("NestedGroups", &nested_groups),
                                     std::pair("CompletionsAndShields", &completions_and_shields),
                                     std::pair("Races", &races), std::pair("Sockets", &sockets),
                                     std::pair("Writers", &writers_of_one_stream),
                                     std::pair("PipesCopiesAndLines", &pipes_copies_and_lines)),
                     testing::Values(Source::kScope, Source::kFiber, Source::kDeadline)),
    storm_name);

TEST_P(CancelStorm, EveryMomentEndsItCleanly) {
  constexpr int kMomentsMax = 2'000;
  Storm storm(std::get<0>(GetParam()).second, std::get<1>(GetParam()));
  int k = 0;
  while (storm.cancel_at(k) && !HasFailure()) ASSERT_LT(++k, kMomentsMax) << "it never gets through";
  EXPECT_GT(k, 1);
}

}  // namespace
}  // namespace weft
