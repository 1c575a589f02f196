// SPDX-License-Identifier: Apache-2.0
// copy() between pipes and sockets of the kernel.
#include "stranger/io/own.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::pattern;
using weft::Deadline;
using weft::Errc;
using weft::io::copy;
using weft::io::make_pipe;
using weft::io::Pipe;
using weft::net::ShutdownMode;
using weft::net::Stream;
using weft::net::TcpListener;
using weft::net::TcpStream;
using weft::net::UnixStream;

/// Both ends of a connection of some kind.
struct Ends {
  std::unique_ptr<Stream> first;
  std::unique_ptr<Stream> second;
};

Ends tcp() {
  auto listener = TcpListener::bind("127.0.0.1:0").value();
  auto client = TcpStream::connect(listener.local_address().value()).value();
  return {std::make_unique<TcpStream>(std::move(client)), listener.accept_stream().value()};
}

Ends local() {
  auto pair = UnixStream::pair().value();
  return {std::make_unique<UnixStream>(std::move(pair.first)),
          std::make_unique<UnixStream>(std::move(pair.second))};
}

const std::string& ten_megabytes() {
  static const std::string text = pattern(10 << 20);
  return text;
}

/// Feeds `in`, copies from its other end to `out`, and gives what came out.
std::string through(Ends& in, Ends& out, const std::string& text) {
  auto feeding = weft::spawn([&] {
    EXPECT_TRUE(in.first->write_all(text));
    EXPECT_TRUE(in.first->shutdown(ShutdownMode::kWrite));
  });
  auto copying = weft::spawn([&] {
    const auto copied = copy(*in.second, *out.first);
    EXPECT_TRUE(copied) << copied.message();
    EXPECT_EQ(copied.bytes(), text.size());
    EXPECT_TRUE(out.first->shutdown(ShutdownMode::kWrite));
  });
  std::string seen = stranger::drain(*out.second);
  EXPECT_TRUE(feeding.join());
  EXPECT_TRUE(copying.join());
  return seen;
}

TEST(CopyInTheKernel, MovesEveryByteBetweenSocketsOfAllKinds) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          for (const auto from : {tcp, local}) {
            for (const auto to : {tcp, local}) {
              Ends in = from();
              Ends out = to();
              EXPECT_TRUE(through(in, out, ten_megabytes()) == ten_megabytes());
            }
          }
        },
        threads);
  }
}

TEST(CopyInTheKernel, MovesEveryByteFromPipeToPipeAndOverASocket) {
  stranger::in_fiber([] {
    Pipe first = make_pipe().value();
    Pipe last = make_pipe().value();
    Ends middle = local();
    weft::TaskGroup<std::size_t> group;
    group.spawn([&] {
      auto writer = std::move(first.writer);
      return writer.write_all(ten_megabytes()).value();
    });
    group.spawn([&] {
      const auto n = copy(first.reader, *middle.first).value();
      middle.first->shutdown(ShutdownMode::kWrite).value();
      return n;
    });
    group.spawn([&] {
      auto writer = std::move(last.writer);
      return copy(*middle.second, writer).value();
    });
    Pipe behind = make_pipe().value();
    group.spawn([&] {
      auto writer = std::move(behind.writer);
      return copy(last.reader, writer).value();
    });
    EXPECT_TRUE(stranger::drain(behind.reader) == ten_megabytes());
    EXPECT_EQ(group.wait().value(), std::vector<std::size_t>(4, ten_megabytes().size()));
  });
}

TEST(CopyInTheKernel, EndsAtItsLimitAndTakesNoByteMore) {
  stranger::in_fiber([] {
    for (const std::uint64_t size_max : std::vector<std::uint64_t>{0, 1, 9, 10, 11, UINT64_MAX}) {
      Pipe in = make_pipe().value();
      Ends out = local();
      EXPECT_TRUE(in.writer.write_all("0123456789"));
      EXPECT_TRUE(in.writer.close());
      const std::size_t expected = static_cast<std::size_t>(std::min<std::uint64_t>(size_max, 10));
      EXPECT_EQ(copy(in.reader, *out.first, {.size_max = size_max}).value(), expected);
      EXPECT_TRUE(out.first->shutdown(ShutdownMode::kWrite));
      EXPECT_EQ(stranger::drain(*out.second), std::string("0123456789").substr(0, expected));
      EXPECT_EQ(stranger::drain(in.reader), std::string("0123456789").substr(expected));
    }
  });
}

TEST(CopyInTheKernel, CountsWhatItMovedBeforeTheDeadlineOrACancellation) {
  stranger::in_fiber([] {
    Ends in = tcp();
    Ends out = local();
    EXPECT_EQ(copy(*in.second, *out.first, {.deadline = 1ms}).error(), Errc::timed_out);
    EXPECT_TRUE(in.first->write_all("hello"));
    const auto late = copy(*in.second, *out.first, {.deadline = 20ms});
    EXPECT_EQ(late.bytes(), 5u);
    EXPECT_EQ(late.error(), Errc::timed_out);

    EXPECT_TRUE(in.first->write_all("world"));
    auto copying = weft::spawn([&] {
      const auto copied = copy(*in.second, *out.first);
      EXPECT_EQ(copied.error(), Errc::cancelled);
      return copied.bytes();
    });
    std::string seen(10, '.');
    EXPECT_TRUE(out.second->read_exact(seen));
    EXPECT_EQ(seen, "helloworld");
    copying.cancel();
    EXPECT_EQ(copying.join_uncancellable(), 5u);
    EXPECT_TRUE(in.first->write_all("more"));
    EXPECT_EQ(copy(*in.second, *out.first, {.size_max = 4}).value(), 4u);
  });
}

TEST(CopyInTheKernel, ToAWriterThatIsFullCountsWhatWasWritten) {
  stranger::in_fiber([] {
    Ends in = local();
    Pipe out = make_pipe().value();
    const std::string text = pattern(1 << 20);
    auto feeding = weft::spawn([&] { return in.first->write_all(text).error(); });
    const auto copied = copy(*in.second, out.writer, {.deadline = 20ms});
    EXPECT_EQ(copied.error(), Errc::timed_out);
    EXPECT_TRUE(out.writer.close());
    const std::string seen = stranger::drain(out.reader);
    EXPECT_EQ(seen.size(), copied.bytes());
    EXPECT_TRUE(seen == text.substr(0, seen.size()));
    EXPECT_TRUE(in.second->close());
    EXPECT_TRUE(feeding.join().error()) << "its reader is gone";
  });
}

TEST(CopyInTheKernel, ToAPeerThatIsGoneIsAnErrorAndNoSignal) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  stranger::in_fiber([] {
    Pipe in = make_pipe().value();
    EXPECT_TRUE(in.writer.write_all("12345"));
    Ends gone = local();
    EXPECT_TRUE(gone.second->close());
    const auto to_socket = copy(in.reader, *gone.first);
    EXPECT_EQ(to_socket.bytes(), 0u);
    EXPECT_EQ(to_socket.error(), stranger::errno_code(EPIPE));

    EXPECT_TRUE(in.writer.write_all("12345"));
    Pipe unread = make_pipe().value();
    EXPECT_TRUE(unread.reader.close());
    const auto to_pipe = copy(in.reader, unread.writer);
    EXPECT_EQ(to_pipe.bytes(), 0u);
    EXPECT_EQ(to_pipe.error(), stranger::errno_code(EPIPE));

    // In the middle: the writer waits for room.
    Ends source = local();
    Pipe leaving = make_pipe().value();
    auto feeding = weft::spawn([&] { static_cast<void>(source.first->write_all(pattern(1 << 20))); });
    auto copying = weft::spawn([&] { return copy(*source.second, leaving.writer).error(); });
    std::string some(100'000, '.');
    EXPECT_TRUE(leaving.reader.read_exact(some));
    EXPECT_TRUE(leaving.reader.close());
    EXPECT_EQ(copying.join().error(), stranger::errno_code(EPIPE));
    EXPECT_TRUE(source.second->close());
    EXPECT_TRUE(feeding.join());
  });
  static_cast<void>(std::signal(SIGPIPE, before));
}

TEST(CopyInTheKernel, IsEndedByACloseOfEitherSide) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          Ends in = local();
          Pipe out = make_pipe().value();
          auto reading = weft::spawn([&] { return copy(*in.second, out.writer).error(); });
          weft::yield();
          EXPECT_TRUE(in.second->close());
          EXPECT_EQ(reading.join().error(), Errc::closed);

          Ends more = local();
          stranger::fill(out.writer);
          EXPECT_TRUE(more.first->write_all("x"));
          auto writing = weft::spawn([&] { return copy(*more.second, out.writer).error(); });
          weft::yield();
          EXPECT_TRUE(out.writer.close());
          EXPECT_EQ(writing.join().error(), Errc::closed);
        },
        threads);
  }
}

TEST(CopyInTheKernel, MakesAnEchoServerOfOneLine) {
  stranger::in_fiber([] {
    Ends ends = local();
    auto echo = weft::spawn([&] {
      const auto n = copy(*ends.second, *ends.second).value();
      ends.second->shutdown(ShutdownMode::kWrite).value();
      return n;
    });
    const std::string text = pattern(1 << 20);
    auto writing = weft::spawn([&] {
      ends.first->write_all(text).value();
      ends.first->shutdown(ShutdownMode::kWrite).value();
    });
    EXPECT_TRUE(stranger::drain(*ends.first) == text);
    EXPECT_EQ(echo.join().value(), text.size());
    EXPECT_TRUE(writing.join());
  });
}

TEST(CopyInTheKernel, ProxiesBothDirectionsAtOnceAndHalfCloses) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          Ends client = local();  // first: the client; second: the proxy's
          Ends server = tcp();    // first: the proxy's; second: the server
          const std::string request = pattern(3 << 20, 1);
          const std::string answer = pattern(3 << 20, 2);
          const auto talk = [](Stream& stream, const std::string& text) {
            auto writing = weft::spawn([&] {
              EXPECT_TRUE(stream.write_all(text));
              EXPECT_TRUE(stream.shutdown(ShutdownMode::kWrite));
            });
            std::string seen = stranger::drain(stream);
            EXPECT_TRUE(writing.join());
            return seen;
          };
          const auto forward = [](Stream& from, Stream& to) {
            const auto copied = copy(from, to);
            EXPECT_TRUE(copied) << copied.message();
            EXPECT_TRUE(to.shutdown(ShutdownMode::kWrite));
          };
          weft::TaskGroup<void> proxy;
          proxy.spawn([&] { forward(*client.second, *server.first); });
          proxy.spawn([&] { forward(*server.first, *client.second); });
          auto serving = weft::spawn([&] { return talk(*server.second, answer); });
          EXPECT_TRUE(talk(*client.first, request) == answer);
          EXPECT_TRUE(serving.join().value() == request);
          EXPECT_TRUE(proxy.wait());
        },
        threads);
  }
}

TEST(CopyInTheKernel, RunsInAFiberOfAnotherContext) {
  stranger::in_fiber([] {
    weft::ParallelContext workers("workers", {.parallelism = 2});
    Pipe in = make_pipe().value();
    Ends out = tcp();
    const std::string text = pattern(1 << 20);
    auto copying = workers.spawn([&] {
      const auto n = copy(in.reader, *out.first).value();
      out.first->shutdown(ShutdownMode::kWrite).value();
      return n;
    });
    auto feeding = weft::spawn([&] {
      auto writer = std::move(in.writer);
      writer.write_all(text).value();
    });
    EXPECT_TRUE(stranger::drain(*out.second) == text);
    EXPECT_EQ(copying.join().value(), text.size());
    EXPECT_TRUE(feeding.join());
  });
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A proxy has many connections that are idle.
TEST(CopyInTheKernel, ThatWaitsForLongHoldsNoDescriptors) {
  stranger::in_fiber([] {
    Ends in = local();
    Ends out = local();
    weft::sleep(1ms);
    const std::size_t before = open_descriptors();
    auto copying = weft::spawn([&] { return copy(*in.second, *out.first).value(); });
    for (const std::string text : {"one", "two"}) {
      EXPECT_TRUE(in.first->write_all(text));
      std::string seen(3, '.');
      EXPECT_TRUE(out.second->read_exact(seen));
      EXPECT_EQ(seen, text);
      for (int i = 0; i < 500 && open_descriptors() != before; ++i) weft::sleep(10ms);
      EXPECT_EQ(open_descriptors(), before);
    }
    EXPECT_TRUE(in.first->shutdown(ShutdownMode::kWrite));
    EXPECT_EQ(copying.join().value(), 6u);
  });
}

// Several copies into one writer: what one of them has read is written in one turn, so each byte arrives.
TEST(CopyInTheKernel, OfSeveralIntoOneWriterLosesNothing) {
  stranger::in_fiber([] {
    Pipe out = make_pipe().value();
    Pipe sources[3] = {make_pipe().value(), make_pipe().value(), make_pipe().value()};
    weft::TaskGroup<void> group;
    for (int i = 0; i < 3; ++i) {
      group.spawn(
          [&, i] { sources[i].writer.write_all(std::string(200'000, static_cast<char>('a' + i))).value(); });
      group.spawn([&, i] {
        EXPECT_EQ(copy(sources[i].reader, out.writer, {.size_max = 200'000}).value(), 200'000u);
      });
    }
    std::string seen(600'000, '.');
    EXPECT_TRUE(out.reader.read_exact(seen));
    EXPECT_TRUE(group.wait());
    for (const char letter : {'a', 'b', 'c'})
      EXPECT_EQ(std::count(seen.begin(), seen.end(), letter), 200'000);
  });
}

}  // namespace
