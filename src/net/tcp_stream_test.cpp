// SPDX-License-Identifier: Apache-2.0
// Streams, in every kind of context and in a simulated world.
#include <weft/net/tcp_stream.hpp>

#include "support/any_context.hpp"
#include "support/tcp.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace weft::net {
namespace {

using namespace std::chrono_literals;
using test::bytes;
using test::read_text;
using test::Streams;

class TcpStreamTest : public test::InAnyContext {};

TEST_P(TcpStreamTest, DataGoesBothWays) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.write_all("ping"));
    EXPECT_EQ(read_text(ends.server).value(), "ping");
    EXPECT_TRUE(ends.server.write_all("pong"));
    EXPECT_EQ(read_text(ends.client).value(), "pong");
  });
}

TEST_P(TcpStreamTest, QuestionsAndAnswersGoToAndFro) {
  constexpr int kRounds = 100;
  run([] {
    Streams ends;
    auto server = spawn([&] {
      std::array<std::byte, 64> buffer;
      Result<std::size_t> size = ends.server.read_some(buffer);
      while (size) size = ends.server.write_then_read_some(std::span(buffer).first(*size), buffer);
      EXPECT_EQ(size.error(), Errc::end_of_file);
    });
    std::array<std::byte, 64> answer;
    for (int i = 0; i < kRounds; ++i) {
      const std::string question = "question " + std::to_string(i);
      const std::size_t size = ends.client.write_then_read_some(bytes(question), answer).value();
      EXPECT_TRUE(std::ranges::equal(std::span(answer).first(size), bytes(question)));
    }
    EXPECT_TRUE(ends.client.shutdown(ShutdownMode::kWrite));
    server.join_uncancellable();
  });
}

TEST_P(TcpStreamTest, AQuestionWithoutAnAnswerWasAsked) {
  run([] {
    Streams ends;
    std::array<std::byte, 64> answer;
    const auto late =
        ends.client.write_then_read_some_until(bytes("question"), answer, {.read = Deadline::after(5ms)});
    EXPECT_EQ(late.error(), Errc::timed_out);
    EXPECT_EQ(read_text(ends.server).value(), "question");
  });
}

TEST_P(TcpStreamTest, BothEndsKnowEachOthersAddress) {
  run([] {
    Streams ends;
    EXPECT_EQ(ends.client.peer_address().value(), ends.server.local_address().value());
    EXPECT_EQ(ends.server.peer_address().value(), ends.client.local_address().value());
    EXPECT_NE(ends.client.local_address().value().port(), 0);
  });
}

TEST_P(TcpStreamTest, ReadExactWaitsForEveryByte) {
  run([] {
    Streams ends;
    auto writer = spawn([&] {
      for (const char* part : {"ab", "cd", "ef"}) {
        EXPECT_TRUE(ends.client.write_all(part));
        yield();
      }
    });
    std::array<std::byte, 6> buffer;
    const io::Progress read = ends.server.read_exact(buffer);
    EXPECT_TRUE(read);
    EXPECT_EQ(read.bytes(), 6u);
    EXPECT_EQ(read.value(), 6u);
    writer.join_uncancellable();
  });
}

TEST_P(TcpStreamTest, ReadExactTellsHowMuchCameBeforeTheEnd) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.write_all("abc"));
    EXPECT_TRUE(ends.client.shutdown(ShutdownMode::kWrite));
    std::array<std::byte, 6> buffer;
    const io::Progress read = ends.server.read_exact(buffer);
    EXPECT_FALSE(read);
    EXPECT_EQ(read.bytes(), 3u);
    EXPECT_EQ(read.error(), Errc::end_of_file);
    EXPECT_THROW(static_cast<void>(read.value()), std::system_error);
  });
}

TEST_P(TcpStreamTest, ReadExactTellsHowMuchCameBeforeTheDeadline) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.write_all("abc"));
    std::array<std::byte, 6> buffer;
    const io::Progress read = ends.server.read_exact_until(buffer, Deadline::after(1ms));
    EXPECT_EQ(read.bytes(), 3u);
    EXPECT_EQ(read.error(), Errc::timed_out);
  });
}

TEST_P(TcpStreamTest, WriteAllTellsHowMuchWentBeforeTheDeadline) {
  run([] {
    Streams ends;
    const std::string lots(64 << 20, 'x');
    const io::Progress written = ends.client.write_all_until(bytes(lots), Deadline::after(5ms));
    EXPECT_EQ(written.error(), Errc::timed_out);
    EXPECT_GT(written.bytes(), 0u);
    EXPECT_LT(written.bytes(), lots.size());
    ends.client.close().value();
    std::size_t received = 0;
    while (const auto text = read_text(ends.server, 1 << 16)) received += text->size();
    EXPECT_EQ(received, written.bytes());
  });
}

TEST_P(TcpStreamTest, ManyBytesArriveWholeAndInOrder) {
  run([] {
    Streams ends;
    std::vector<std::byte> sent(3 << 20);
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 7 + (i >> 8));
    auto writer = spawn([&] { EXPECT_TRUE(ends.client.write_all(sent)); });
    std::vector<std::byte> received(sent.size());
    EXPECT_TRUE(ends.server.read_exact(received));
    EXPECT_TRUE(received == sent);
    writer.join_uncancellable();
  });
}

TEST_P(TcpStreamTest, ManyBuffersAreWrittenAsOneAndReadIntoSeveral) {
  run([] {
    Streams ends;
    std::vector<std::span<const std::byte>> parts;
    std::string expected;
    const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (std::size_t i = 0; i < 40; ++i) {  // more than one call takes, some of them empty
      const auto part = std::string_view(letters).substr(i % 30, i % 4);
      parts.push_back(bytes(part));
      expected += part;
    }
    const io::Progress written = ends.client.write_all(parts);
    EXPECT_TRUE(written);
    EXPECT_EQ(written.bytes(), expected.size());

    std::string first(10, '\0');
    std::string second(expected.size() - 10, '\0');
    const std::array<std::span<std::byte>, 3> buffers{std::as_writable_bytes(std::span(first)),
                                                      std::span<std::byte>(),
                                                      std::as_writable_bytes(std::span(second))};
    EXPECT_TRUE(ends.server.wait_readable());
    const std::size_t size = ends.server.read_some(buffers).value();
    ASSERT_GE(size, 10u);
    if (size < expected.size()) {
      EXPECT_TRUE(ends.server.read_exact(std::as_writable_bytes(std::span(second)).subspan(size - 10)));
    }
    EXPECT_EQ(first + second, expected);
  });
}

TEST_P(TcpStreamTest, NothingToMoveIsDoneAtOnce) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.write_all(""));
    EXPECT_TRUE(ends.client.read_exact({}));
    EXPECT_TRUE(ends.client.write_all(std::span<const std::span<const std::byte>>()));
    const std::array<std::span<const std::byte>, 2> empty{};
    EXPECT_TRUE(ends.client.write_all(empty));
  });
}

TEST_P(TcpStreamTest, AFinishedPeerIsTheEndOfTheFileEachTime) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.write_all("last"));
    EXPECT_TRUE(ends.client.shutdown(ShutdownMode::kWrite));
    EXPECT_EQ(read_text(ends.server).value(), "last");
    EXPECT_EQ(read_text(ends.server).error(), Errc::end_of_file);
    EXPECT_EQ(read_text(ends.server).error(), Errc::end_of_file);
    EXPECT_TRUE(ends.server.write_all("the other way still works"));
    EXPECT_TRUE(read_text(ends.client));
  });
}

TEST_P(TcpStreamTest, ShutdownEndsTheDirectionsItNames) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.shutdown(ShutdownMode::kRead));
    EXPECT_EQ(read_text(ends.client).error(), Errc::end_of_file);
    EXPECT_TRUE(ends.client.write_all("x"));
    EXPECT_TRUE(ends.client.shutdown(ShutdownMode::kBoth));
    EXPECT_EQ(ends.client.write_all("y").error(), sys::error_of(EPIPE));
    EXPECT_EQ(read_text(ends.server).value(), "x");
  });
}

TEST_P(TcpStreamTest, ADeadlineEndsAReadAndTheReadCanBeRepeated) {
  run([] {
    Streams ends;
    EXPECT_EQ(read_text(ends.server, 8, Deadline::after(100us)).error(), Errc::timed_out);
    EXPECT_EQ(read_text(ends.server, 8, Deadline::after(-1s)).error(), Errc::timed_out);
    EXPECT_TRUE(ends.client.write_all("late"));
    EXPECT_TRUE(ends.server.wait_readable());
    EXPECT_EQ(read_text(ends.server, 8, Deadline::after(-1s)).value(), "late")
        << "what is there is read, always";
  });
}

TEST_P(TcpStreamTest, ADeadlineEndsAWrite) {
  run([] {
    Streams ends;
    test::fill(ends.client);
    EXPECT_EQ(ends.client.write_some_until(bytes("x"), Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_EQ(ends.client.wait_writable(Deadline::after(1ms)).error(), Errc::timed_out);
  });
}

TEST_P(TcpStreamTest, CancellingTheFiberEndsItsReadAndItsLaterWaits) {
  run([] {
    Streams ends;
    auto reader = spawn([&] {
      EXPECT_EQ(read_text(ends.server).error(), Errc::cancelled);
      EXPECT_EQ(ends.server.wait_readable().error(), Errc::cancelled);
      EXPECT_EQ(read_text(ends.server).error(), Errc::cancelled);
    });
    yield();
    reader.cancel();
    reader.join_uncancellable();
    EXPECT_TRUE(ends.client.write_all("still open"));
    EXPECT_TRUE(ends.server.wait_readable());
    EXPECT_EQ(read_text(ends.server).value(), "still open");
  });
}

TEST_P(TcpStreamTest, CloseEndsTheOperationsOfOtherFibers) {
  run([] {
    Streams ends;
    auto reader = spawn([&] { return read_text(ends.server).error(); });
    auto writer = spawn([&] {
      const std::string lots(64 << 20, 'x');
      return ends.server.write_all(lots).error();
    });
    for (int i = 0; i < 100; ++i) yield();
    EXPECT_TRUE(ends.server.close());
    EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
    EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
  });
}

TEST_P(TcpStreamTest, AClosedStreamFailsEveryCall) {
  run([] {
    Streams ends;
    EXPECT_TRUE(ends.client.is_open());
    EXPECT_TRUE(ends.client.close());
    EXPECT_FALSE(ends.client.is_open());
    for (TcpStream* stream : {&ends.client}) {
      EXPECT_EQ(read_text(*stream).error(), Errc::closed);
      EXPECT_EQ(stream->write_all("x").error(), Errc::closed);
      EXPECT_EQ(stream->wait_readable().error(), Errc::closed);
      EXPECT_EQ(stream->wait_writable().error(), Errc::closed);
      EXPECT_EQ(stream->shutdown(ShutdownMode::kBoth).error(), Errc::closed);
      EXPECT_EQ(stream->close().error(), Errc::closed);
      EXPECT_EQ(stream->local_address().error(), Errc::closed);
      EXPECT_EQ(stream->peer_address().error(), Errc::closed);
      EXPECT_EQ(stream->set_no_delay(true).error(), Errc::closed);
      EXPECT_EQ(stream->counters().error(), Errc::closed);
      EXPECT_EQ(stream->native_handle(), -1);
    }
    EXPECT_EQ(read_text(ends.server).error(), Errc::end_of_file);
  });
}

TEST_P(TcpStreamTest, AStreamOfNoConnectionFailsEveryCall) {
  run([] {
    TcpStream none;
    EXPECT_FALSE(none.is_open());
    EXPECT_EQ(read_text(none).error(), Errc::closed);
    EXPECT_EQ(none.write_all("x").error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
    EXPECT_EQ(none.native_handle(), -1);
  });
}

TEST_P(TcpStreamTest, MovingAStreamMovesTheConnectionAndAssigningClosesTheOldOne) {
  run([] {
    Streams one;
    Streams two;
    TcpStream moved = std::move(one.client);
    EXPECT_FALSE(one.client.is_open());
    EXPECT_TRUE(moved.write_all("moved"));
    EXPECT_TRUE(one.server.wait_readable());
    EXPECT_EQ(read_text(one.server).value(), "moved");
    moved = std::move(two.client);
    EXPECT_EQ(read_text(one.server).error(), Errc::end_of_file);
    EXPECT_TRUE(moved.write_all("two"));
    EXPECT_EQ(read_text(two.server).value(), "two");
  });
}

TEST_P(TcpStreamTest, WaitingForReadinessWaitsForAByteOnANewConnectionToo) {
  run([] {
    Streams ends;
    EXPECT_EQ(ends.server.wait_readable(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_TRUE(ends.server.wait_writable(Deadline::after(1s)));
    EXPECT_TRUE(ends.client.write_all("ab"));
    EXPECT_TRUE(ends.server.wait_readable());
    EXPECT_EQ(read_text(ends.server, 1).value(), "a");
    EXPECT_TRUE(ends.server.wait_readable());
    EXPECT_EQ(read_text(ends.server, 1).value(), "b");
    EXPECT_EQ(ends.server.wait_readable(Deadline::after(1ms)).error(), Errc::timed_out);
  });
}

TEST_P(TcpStreamTest, AStreamMayBeDestroyedOnAPlainThread) {
  std::unique_ptr<Streams> ends;
  run([&] { ends = std::make_unique<Streams>(); });
  ends->client = TcpStream();
  run([&] { EXPECT_EQ(read_text(ends->server).error(), Errc::end_of_file); });
  ends.reset();
}

TEST_P(TcpStreamTest, NobodyListeningIsARefusal) {
  run([] {
    SocketAddress address;
    {
      auto listener = TcpListener::bind("127.0.0.1:0").value();
      address = listener.local_address().value();
    }
    EXPECT_EQ(TcpStream::connect(address).error(), sys::error_of(ECONNREFUSED));
  });
}

INSTANTIATE_TEST_SUITE_P(Contexts, TcpStreamTest, test::all_contexts(), test::kind_name);

}  // namespace
}  // namespace weft::net
