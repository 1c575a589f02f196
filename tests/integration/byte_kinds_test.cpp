// SPDX-License-Identifier: Apache-2.0
// What a reader and a writer promise, for each kind of file that moves bytes, in each kind of context, under
// each strategy, and in the simulated world. A new kind is a row of kKinds.
#include "support/any_context.hpp"

#include <weft/io/copy.hpp>
#include <weft/io/pipe.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/net/unix_listener.hpp>
#include <weft/net/unix_stream.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;

/// Two ends: what is written to `writer` comes out of `reader`.
struct Ends {
  std::unique_ptr<io::Reader> reader;
  std::unique_ptr<io::Writer> writer;
  std::function<Result<void>()> close_reader;
  std::function<Result<void>()> close_writer;
};

template <class Reading, class Writing>
Ends ends_of(Reading reading, Writing writing) {
  auto reader = std::make_unique<Reading>(std::move(reading));
  auto writer = std::make_unique<Writing>(std::move(writing));
  Ends ends{nullptr, nullptr, [end = reader.get()] { return end->close(); },
            [end = writer.get()] { return end->close(); }};
  ends.reader = std::move(reader);
  ends.writer = std::move(writer);
  return ends;
}

Ends tcp_ends() {
  net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0").value();
  net::TcpStream client = net::TcpStream::connect(listener.local_address().value()).value();
  return ends_of(listener.accept().value(), std::move(client));
}

Ends unix_ends() {
  static std::atomic<int> count{0};
  const std::string name = "@weft-kinds-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  net::UnixListener listener = net::UnixListener::bind(name).value();
  net::UnixStream client = net::UnixStream::connect(name).value();
  return ends_of(listener.accept().value(), std::move(client));
}

Ends pair_ends() {
  net::UnixStreamPair pair = net::UnixStream::pair().value();
  return ends_of(std::move(pair.first), std::move(pair.second));
}

Ends pipe_ends() {
  io::Pipe pipe = io::make_pipe().value();
  return ends_of(std::move(pipe.reader), std::move(pipe.writer));
}

struct Kind {
  const char* name;
  Ends (*make)();
};
constexpr Kind kKinds[] = {
    {"Tcp", tcp_ends}, {"Unix", unix_ends}, {"UnixPair", pair_ends}, {"Pipe", pipe_ends}};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 % 251);
  return text;
}

class ByteKinds : public testing::TestWithParam<std::tuple<ContextCase, std::size_t>> {
 protected:
  Kind kind() const { return kKinds[std::get<1>(GetParam())]; }
  /// Runs `body(ends)` as a fiber.
  template <class Body>
  void run(Body body) {
    context
        .spawn([&] {
          Ends ends = kind().make();
          body(ends);
        })
        .join_uncancellable();
  }

  AnyContext context{std::get<0>(GetParam())};
};

TEST_P(ByteKinds, EveryByteArrivesInOrderAndThenTheEnd) {
  run([](Ends& ends) {
    const std::string sent = pattern(300'000);
    auto writer = spawn([&] {
      EXPECT_EQ(ends.writer->write_all(sent).value(), sent.size());
      EXPECT_TRUE(ends.close_writer());
    });
    std::string received;
    std::vector<std::byte> part(7'001);
    Result<std::size_t> n = std::size_t{0};
    while ((n = ends.reader->read_some(part)))
      received.append(reinterpret_cast<const char*>(part.data()), *n);
    EXPECT_EQ(n.error(), Errc::end_of_file);
    EXPECT_EQ(ends.reader->read_some(part).error(), Errc::end_of_file) << "it stays ended";
    EXPECT_TRUE(received == sent) << received.size();
    writer.join_uncancellable();
  });
}

TEST_P(ByteKinds, SeveralBuffersAreOneStream) {
  run([](Ends& ends) {
    const std::array<std::span<const std::byte>, 3> parts{
        std::as_bytes(std::span("ab", 2)), std::span<const std::byte>(), std::as_bytes(std::span("cde", 3))};
    EXPECT_EQ(ends.writer->write_all(parts).value(), 5u);
    std::string text(5, '\0');
    EXPECT_EQ(ends.reader->read_exact(text).value(), 5u);
    EXPECT_EQ(text, "abcde");
  });
}

TEST_P(ByteKinds, ADeadlineEndsAReadAndLosesNothing) {
  run([](Ends& ends) {
    std::string text(3, '\0');
    EXPECT_EQ(ends.reader->read_some_until(text, Deadline::after(2ms)).error(), Errc::timed_out);
    EXPECT_EQ(ends.writer->write_all("abc").value(), 3u);
    EXPECT_EQ(ends.reader->read_exact(text).value(), 3u);
    EXPECT_EQ(text, "abc");
  });
}

TEST_P(ByteKinds, AWriterWaitsForRoomUntilItsDeadlineAndSaysHowFarItCame) {
  run([](Ends& ends) {
    const std::string lots = pattern(32 << 20);
    const io::Progress written = ends.writer->write_all_until(lots, Deadline::after(20ms));
    EXPECT_EQ(written.error(), Errc::timed_out);
    EXPECT_LT(written.bytes(), lots.size());
    EXPECT_GT(written.bytes(), 0u);
    EXPECT_TRUE(ends.close_writer());
    std::string received(written.bytes(), '\0');
    EXPECT_EQ(ends.reader->read_exact(received).value(), written.bytes());
    EXPECT_TRUE(received == lots.substr(0, written.bytes()));
  });
}

TEST_P(ByteKinds, ACancelledReaderHasTakenNothing) {
  run([](Ends& ends) {
    auto reader = spawn([&] {
      std::byte byte{};
      return ends.reader->read_some(MutableBuffer(&byte, 1)).error();
    });
    yield();
    reader.cancel();
    EXPECT_EQ(reader.join_uncancellable(), Errc::cancelled);
    EXPECT_EQ(ends.writer->write_all("x").value(), 1u);
    std::string text(1, '\0');
    EXPECT_EQ(ends.reader->read_exact(text).value(), 1u);
    EXPECT_EQ(text, "x");
  });
}

TEST_P(ByteKinds, CloseEndsAReadThatWaits) {
  run([](Ends& ends) {
    auto reader = spawn([&] {
      std::byte byte{};
      return ends.reader->read_some(MutableBuffer(&byte, 1)).error();
    });
    yield();
    EXPECT_TRUE(ends.close_reader());
    EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
    std::byte byte{};
    EXPECT_EQ(ends.reader->read_some(MutableBuffer(&byte, 1)).error(), Errc::closed);
    EXPECT_EQ(ends.close_reader().error(), Errc::closed);
  });
}

TEST_P(ByteKinds, AWriterLearnsThatNobodyReads) {
  run([](Ends& ends) {
    EXPECT_TRUE(ends.close_reader());
    std::error_code error;
    for (int i = 0; i < 1000 && !error; ++i) {
      error = ends.writer->write_all("x").error();
      if (!error) static_cast<void>(sleep(1ms));
    }
    EXPECT_TRUE(error == std::errc::broken_pipe || error == std::errc::connection_reset) << error.message();
  });
}

TEST_P(ByteKinds, AWriterThatWaitsLearnsIt) {
  run([](Ends& ends) {
    auto writer = spawn([&] { return ends.writer->write_all(pattern(32 << 20)).error(); });
    while (!ends.reader->wait_readable()) {}
    for (int i = 0; i < 10; ++i) yield();
    EXPECT_TRUE(ends.close_reader());
    const std::error_code error = writer.join_uncancellable();
    EXPECT_TRUE(error == std::errc::broken_pipe || error == std::errc::connection_reset) << error.message();
  });
}

TEST_P(ByteKinds, SelectWaitsForEitherOfTwo) {
  run([this](Ends& ends) {
    Ends other = kind().make();
    EXPECT_EQ(other.writer->write_all("y").value(), 1u);
    int chosen = 0;
    EXPECT_TRUE(
        select(readable(*ends.reader, [&] { chosen = 1; }), readable(*other.reader, [&] { chosen = 2; })));
    EXPECT_EQ(chosen, 2);
    EXPECT_TRUE(select(writable(*ends.writer, [&] { chosen = 3; })));
    EXPECT_EQ(chosen, 3);
  });
}

TEST_P(ByteKinds, CopyMovesAllOfItToAnotherOfItsKind) {
  run([this](Ends& from) {
    Ends to = kind().make();
    const std::string sent = pattern(200'000);
    auto writer = spawn([&] {
      EXPECT_EQ(from.writer->write_all(sent).value(), sent.size());
      EXPECT_TRUE(from.close_writer());
    });
    auto copier = spawn([&] {
      EXPECT_EQ(io::copy(*from.reader, *to.writer).value(), sent.size());
      EXPECT_TRUE(to.close_writer());
    });
    std::string received(sent.size(), '\0');
    EXPECT_EQ(to.reader->read_exact(received).value(), sent.size());
    EXPECT_TRUE(received == sent);
    std::byte byte{};
    EXPECT_EQ(to.reader->read_some(MutableBuffer(&byte, 1)).error(), Errc::end_of_file);
    writer.join_uncancellable();
    copier.join_uncancellable();
  });
}

std::string case_name(const testing::TestParamInfo<ByteKinds::ParamType>& info) {
  return std::string(kKinds[std::get<1>(info.param)].name) + name_of(std::get<0>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ByteKinds,
                         testing::Combine(all_contexts(), testing::Range<std::size_t>(0, std::size(kKinds))),
                         case_name);

// -- handing over
// ---------------------------------------------------------------------------------------------

class ByteKindsOfTwo : public testing::TestWithParam<std::size_t> {};

// From a context of one strategy to one of another, and back: what was begun here is read on there.
TEST_P(ByteKindsOfTwo, AnEndIsHandedOverBetweenContextsOfAnyStrategies) {
  for (const EventLoopStrategy& here : EventLoopStrategy::named()) {
    for (const EventLoopStrategy& there : {EventLoopStrategy(), EventLoopStrategy::broadcast(), here}) {
      ConcurrentContext a("a", {.strategy = here});
      ConcurrentContext b("b", {.strategy = there});
      Ends ends = a.spawn([&] { return kKinds[GetParam()].make(); }).join_uncancellable();
      const auto read_in = [&](ExecutionContext& context, std::string_view expected) {
        auto reader = context.spawn([&] {
          std::string text(expected.size(), '\0');
          EXPECT_EQ(ends.reader->read_exact(text).value(), text.size());
          EXPECT_EQ(text, expected);
        });
        a.spawn([&] {
           yield();
           EXPECT_EQ(ends.writer->write_all(expected).value(), expected.size());
         }).join_uncancellable();
        reader.join_uncancellable();
      };
      read_in(a, "first");
      read_in(b, "second");
      read_in(a, "third");
      EXPECT_TRUE(a.spawn([&] { return ends.close_writer(); }).join_uncancellable());
      EXPECT_TRUE(b.spawn([&] { return ends.close_reader(); }).join_uncancellable());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ByteKindsOfTwo, testing::Range<std::size_t>(0, std::size(kKinds)),
                         [](const auto& of) { return std::string(kKinds[of.param].name); });

}  // namespace
}  // namespace weft::test
