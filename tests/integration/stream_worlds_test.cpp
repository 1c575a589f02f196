// SPDX-License-Identifier: Apache-2.0
// Unix sockets, pipes, buffered readers and copies, over the kernel and in a simulated world: a program sees
// the same.
#include "support/sim_context.hpp"

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <string>
#include <unistd.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using io::BufferedReader;
using io::make_pipe;
using io::Pipe;
using net::ShutdownMode;
using net::UnixListener;
using net::UnixStream;

enum class World { kKernel, kSimulated };

class StreamWorlds : public testing::TestWithParam<World> {
 protected:
  template <class Body>
  static void in_world(Body body) {
    if (GetParam() == World::kKernel) {
      run(body);
    } else {
      test::SimContext world("world");
      world.spawn(body).join_uncancellable();
    }
  }

  static std::string own_name(const std::string& name) {
    return "@weft-worlds-" + std::to_string(::getpid()) + "-" + name;
  }
  static std::error_code of_errno(int value) { return {value, std::system_category()}; }

  static std::string read_text(io::Reader& reader, std::size_t size) {
    std::string text(size, '\0');
    text.resize(reader.read_exact(text).bytes());
    return text;
  }
  static std::error_code read_error(io::Reader& reader) {
    char c;
    return reader.read_some(MutableBuffer(&c, 1)).error();
  }
};

TEST_P(StreamWorlds, APipeGivesWhatWasWrittenAndItsEnds) {
  in_world([] {
    Pipe pipe = make_pipe().value();
    EXPECT_TRUE(pipe.writer.write_all("hello"));
    EXPECT_EQ(read_text(pipe.reader, 5), "hello");
    EXPECT_EQ(pipe.reader.wait_readable(1ms).error(), Errc::timed_out);
    EXPECT_TRUE(pipe.writer.write_all("last"));
    EXPECT_TRUE(pipe.writer.close());
    EXPECT_EQ(read_text(pipe.reader, 10), "last");
    EXPECT_EQ(read_error(pipe.reader), Errc::end_of_file);

    Pipe unread = make_pipe().value();
    EXPECT_TRUE(unread.writer.write_all("unread"));
    EXPECT_TRUE(unread.reader.close());
    EXPECT_EQ(unread.writer.write_some("x").error(), of_errno(EPIPE));
    EXPECT_EQ(unread.writer.write_some("x").error(), of_errno(EPIPE));
  });
}

TEST_P(StreamWorlds, APipeThatIsFullLetsItsWriterWait) {
  in_world([] {
    Pipe pipe = make_pipe().value();
    const std::string text(1 << 20, 'x');
    auto writing = spawn([&] { return pipe.writer.write_all(text).value(); });
    EXPECT_EQ(read_text(pipe.reader, text.size()), text);
    EXPECT_EQ(writing.join().value(), text.size());

    auto waiting = spawn([&] { return pipe.writer.write_all(text).error(); });
    EXPECT_EQ(read_text(pipe.reader, 10), std::string(10, 'x'));
    EXPECT_TRUE(pipe.reader.close());
    EXPECT_EQ(waiting.join().error(), of_errno(EPIPE));
  });
}

TEST_P(StreamWorlds, APairOfSocketsCarriesBothDirections) {
  in_world([] {
    auto pair = UnixStream::pair().value();
    EXPECT_TRUE(pair.first.write_all("one"));
    EXPECT_TRUE(pair.second.write_all("two"));
    EXPECT_EQ(read_text(pair.second, 3), "one");
    EXPECT_EQ(read_text(pair.first, 3), "two");
    EXPECT_EQ(pair.first.peer_name(), "unnamed");
    EXPECT_TRUE(pair.first.shutdown(ShutdownMode::kWrite));
    EXPECT_EQ(read_error(pair.second), Errc::end_of_file);
    EXPECT_EQ(pair.first.write_some("x").error(), of_errno(EPIPE));
    EXPECT_TRUE(pair.second.write_all("back"));
    EXPECT_EQ(read_text(pair.first, 4), "back");
    EXPECT_TRUE(pair.second.close());
    EXPECT_EQ(read_error(pair.first), Errc::end_of_file);
  });
}

TEST_P(StreamWorlds, ASocketThatIsClosedWithUnreadBytesResetsItsPeer) {
  in_world([] {
    auto pair = UnixStream::pair().value();
    EXPECT_TRUE(pair.first.write_all("unread"));
    EXPECT_TRUE(pair.second.write_all("kept"));
    EXPECT_EQ(pair.first.wait_readable(1h).error(), std::error_code());
    EXPECT_TRUE(pair.second.close());
    EXPECT_TRUE(pair.first.wait_closed());
    EXPECT_EQ(read_text(pair.first, 4), "kept");
    EXPECT_EQ(read_error(pair.first), of_errno(ECONNRESET));
    EXPECT_EQ(read_error(pair.first), Errc::end_of_file);
    EXPECT_EQ(pair.first.write_some("x").error(), of_errno(EPIPE));
  });
}

TEST_P(StreamWorlds, AListenerIsFoundByItsNameWhileItListens) {
  in_world([] {
    const std::string name = own_name("found");
    EXPECT_EQ(UnixStream::connect(name).error(), of_errno(ECONNREFUSED));
    EXPECT_EQ(UnixStream::connect("/nowhere/at/all").error(), of_errno(ENOENT));
    auto listener = UnixListener::bind(name).value();
    EXPECT_EQ(listener.local_name(), name);
    EXPECT_EQ(UnixListener::bind(name).error(), of_errno(EADDRINUSE));
    EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
    auto client = UnixStream::connect(name).value();
    EXPECT_EQ(client.peer_name(), name);
    auto server = listener.accept().value();
    EXPECT_EQ(server.peer_name(), "unnamed");
    EXPECT_EQ(server.local_address().value().to_string(), name);
    EXPECT_TRUE(client.write_all("hi"));
    EXPECT_EQ(read_text(server, 2), "hi");
    auto queued = UnixStream::connect(name).value();
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(read_error(queued), of_errno(ECONNRESET));
    EXPECT_EQ(UnixStream::connect(name).error(), of_errno(ECONNREFUSED));
    EXPECT_TRUE(UnixListener::bind(name));
  });
}

TEST_P(StreamWorlds, AConnectWaitsForRoomInTheBacklog) {
  in_world([] {
    const std::string name = own_name("room");
    auto listener = UnixListener::bind(name, {.backlog = 0}).value();
    auto queued = UnixStream::connect(name).value();
    EXPECT_EQ(UnixStream::connect(name, 5ms).error(), Errc::timed_out);
    auto waiting = spawn([&] {
      auto stream = UnixStream::connect(name).value();
      return stream.write_all("through").bytes();
    });
    yield();
    EXPECT_TRUE(listener.accept());
    auto second = listener.accept().value();
    EXPECT_EQ(read_text(second, 7), "through");
    EXPECT_EQ(waiting.join().value(), 7u);

    auto full = UnixStream::connect(name).value();
    auto refused = spawn([&] { return UnixStream::connect(name).error(); });
    yield();
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(refused.join().error(), of_errno(ECONNREFUSED));
  });
}

TEST_P(StreamWorlds, ABufferedReaderRepeatsAfterATimeout) {
  in_world([] {
    auto pair = UnixStream::pair().value();
    BufferedReader reader(pair.first);
    EXPECT_TRUE(pair.second.write_all("he"));
    EXPECT_EQ(reader.read_line_until(1ms).error(), Errc::timed_out);
    EXPECT_TRUE(pair.second.write_all("llo\r\nrest"));
    EXPECT_EQ(reader.read_line().value(), "hello");
    EXPECT_TRUE(pair.second.close());
    EXPECT_EQ(reader.read_line().error(), Errc::malformed_message);
    EXPECT_EQ(reader.read_all(10).value(), "rest");
  });
}

TEST_P(StreamWorlds, ACopyMovesEveryByteAndCountsThem) {
  in_world([] {
    auto in = UnixStream::pair().value();
    Pipe out = make_pipe().value();
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + ",";
    auto feeding = spawn([&] {
      in.first.write_all(text).value();
      in.first.shutdown(ShutdownMode::kWrite).value();
    });
    auto copying = spawn([&] {
      auto to = std::move(out.writer);
      return io::copy(in.second, to).value();
    });
    BufferedReader reader(out.reader);
    EXPECT_EQ(reader.read_all(text.size()).value(), text);
    EXPECT_EQ(copying.join().value(), text.size());
    EXPECT_TRUE(feeding.join());

    Pipe gone = make_pipe().value();
    EXPECT_TRUE(gone.reader.close());
    EXPECT_TRUE(in.second.write_all("x"));
    const auto copied = io::copy(in.first, gone.writer);
    EXPECT_EQ(copied.bytes(), 0u);
    EXPECT_EQ(copied.error(), of_errno(EPIPE));
  });
}

TEST_P(StreamWorlds, APeerScopeEndsWhenThePeerIsGone) {
  in_world([] {
    auto pair = UnixStream::pair().value();
    auto working = spawn([&] {
      const net::PeerScope scope(pair.first);
      return sleep(24h).error() == Errc::cancelled;
    });
    yield();
    EXPECT_TRUE(pair.second.close());
    EXPECT_TRUE(working.join().value());
  });
}

TEST_P(StreamWorlds, ALookOfASelectSeesWhatComes) {
  in_world([] {
    Pipe pipe = make_pipe().value();
    const auto can_read = [&] {
      bool can = false;
      select_first(readable(pipe.reader, [&] { can = true; }), otherwise([] {}));
      return can;
    };
    EXPECT_FALSE(can_read());
    EXPECT_TRUE(pipe.writer.write_all("x"));
    while (!can_read()) sleep(1ms);
    EXPECT_EQ(read_text(pipe.reader, 1), "x");
  });
}

INSTANTIATE_TEST_SUITE_P(Of, StreamWorlds, testing::Values(World::kKernel, World::kSimulated),
                         [](const auto& tested) {
                           return tested.param == World::kKernel ? "TheKernel" : "ASimulation";
                         });

}  // namespace
}  // namespace weft
