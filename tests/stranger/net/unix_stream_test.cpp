// SPDX-License-Identifier: Apache-2.0
// Connections over Unix sockets: made, full, many, closed, watched, and to another program.
#include "stranger/net/unix.hpp"

#include <csignal>
#include <string>
#include <sys/wait.h>

namespace {

using namespace std::chrono_literals;
using stranger::of_errno;
using stranger::own_name;
using stranger::read_text;
using stranger::ScratchDirectory;
using weft::Deadline;
using weft::Errc;
using weft::net::PeerScope;
using weft::net::ShutdownMode;
using weft::net::UnixListener;
using weft::net::UnixStream;

TEST(UnixStream, CarriesBytesBothWaysAndTheEnd) {
  stranger::in_fiber([] {
    auto listener = UnixListener::bind(own_name("both")).value();
    auto client = UnixStream::connect(own_name("both")).value();
    auto server = listener.accept().value();
    EXPECT_TRUE(client.write_all("ping"));
    EXPECT_EQ(read_text(server, 4), "ping");
    EXPECT_TRUE(server.write_all("pong"));
    EXPECT_TRUE(client.shutdown(ShutdownMode::kWrite));
    char c;
    EXPECT_EQ(server.read_some(weft::MutableBuffer(&c, 1)).error(), Errc::end_of_file);
    EXPECT_EQ(read_text(client, 4), "pong");
    EXPECT_TRUE(server.close());
    EXPECT_EQ(client.read_some(weft::MutableBuffer(&c, 1)).error(), Errc::end_of_file);
    EXPECT_EQ(client.peer_socket_address().error(), Errc::unsupported);
  });
}

TEST(UnixStream, ComesInPairs) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  stranger::in_fiber([] {
    auto pair = UnixStream::pair().value();
    EXPECT_TRUE(pair.first.write_all("to the second"));
    EXPECT_EQ(read_text(pair.second, 13), "to the second");
    EXPECT_TRUE(pair.second.write_all("to the first"));
    EXPECT_EQ(read_text(pair.first, 12), "to the first");
    EXPECT_TRUE(pair.first.local_address().value().is_unnamed());
    EXPECT_TRUE(pair.first.peer_address().value().is_unnamed());
    EXPECT_EQ(pair.first.peer_name(), "unnamed");
    EXPECT_TRUE(pair.second.close());
    EXPECT_EQ(pair.first.write_all("x").error(), of_errno(EPIPE));
    EXPECT_EQ(pair.second.peer_name(), "");
  });
  static_cast<void>(std::signal(SIGPIPE, before));
}

TEST(UnixStream, KnowsWhichProcessIsAtTheOtherEnd) {
  stranger::in_fiber([] {
    auto listener = UnixListener::bind(own_name("who")).value();
    auto client = UnixStream::connect(own_name("who")).value();
    auto server = listener.accept().value();
    auto pair = UnixStream::pair().value();
    for (const UnixStream* stream : {&client, &server, &pair.first, &pair.second}) {
      const auto peer = stream->peer_credentials().value();
      EXPECT_EQ(peer.pid, ::getpid());
      EXPECT_EQ(peer.uid, ::geteuid());
      EXPECT_EQ(peer.gid, ::getegid());
    }
    EXPECT_TRUE(client.close());
    EXPECT_EQ(client.peer_credentials().error(), Errc::closed);
    EXPECT_EQ(server.peer_credentials().value().pid, ::getpid()) << "as it was when it connected";
  });
}

TEST(UnixStream, WithoutAConnectionIsClosed) {
  stranger::in_fiber([] {
    UnixStream none;
    EXPECT_FALSE(none.is_open());
    EXPECT_EQ(none.write_all("x").error(), Errc::closed);
    EXPECT_EQ(none.local_address().error(), Errc::closed);
    EXPECT_EQ(none.peer_address().error(), Errc::closed);
    EXPECT_EQ(none.peer_credentials().error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
  });
}

TEST(UnixConnect, WaitsWhileTheBacklogIsFullAndThenGetsThrough) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          const std::string name = own_name("full");
          auto listener = UnixListener::bind(name, {.backlog = 0}).value();
          auto queued = UnixStream::connect(name).value();
          EXPECT_EQ(UnixStream::connect(name, 2ms).error(), Errc::timed_out);
          auto cancelled = weft::spawn([&] { return UnixStream::connect(name).error(); });
          weft::yield();
          cancelled.cancel();
          EXPECT_EQ(cancelled.join().error(), Errc::cancelled);

          auto waiting = weft::spawn([&] {
            auto stream = UnixStream::connect(name).value();
            return stream.write_all("through").bytes();
          });
          weft::yield();
          EXPECT_EQ(listener.accept().value().peer_name(), "unnamed");
          auto second = listener.accept().value();
          EXPECT_EQ(read_text(second, 7), "through");
          EXPECT_EQ(waiting.join().value(), 7u);
        },
        threads);
  }
}

TEST(UnixConnect, ThatWaitsLearnsThatTheListenerIsGone) {
  stranger::in_fiber([] {
    const std::string name = own_name("goes");
    auto listener = UnixListener::bind(name, {.backlog = 0}).value();
    auto queued = UnixStream::connect(name).value();
    auto waiting = weft::spawn([&] { return UnixStream::connect(name).error(); });
    weft::yield();
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(waiting.join().error(), of_errno(ECONNREFUSED));
    char c;
    EXPECT_EQ(queued.read_some(weft::MutableBuffer(&c, 1)).error(), of_errno(ECONNRESET));
  });
}

TEST(UnixConnect, ManyAtOnceAllGetThrough) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          const std::string name = own_name("many");
          auto listener = UnixListener::bind(name, {.backlog = 4}).value();
          constexpr int kClients = 200;
          weft::TaskGroup<void> group;
          for (int i = 0; i < kClients; ++i) {
            group.spawn([&, i] {
              auto client = UnixStream::connect(name).value();
              const std::string text = "client " + std::to_string(1000 + i);
              EXPECT_TRUE(client.write_all(text));
              EXPECT_EQ(read_text(client, text.size()), text);
            });
          }
          for (int fiber = 0; fiber < 4; ++fiber) {
            group.spawn([&] {
              for (int i = 0; i < kClients / 4; ++i) {
                auto server = listener.accept().value();
                EXPECT_TRUE(weft::io::copy(server, server, {.size_max = 11}));
              }
            });
          }
          EXPECT_TRUE(group.wait());
          EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
        },
        threads);
  }
}

TEST(UnixAccept, TimesOutIsCancelledAndIsClosed) {
  stranger::in_fiber([] {
    auto listener = UnixListener::bind(own_name("accept")).value();
    EXPECT_EQ(listener.accept_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(listener.accept_stream(1ms).error(), Errc::timed_out);
    auto cancelled = weft::spawn([&] { return listener.accept().error(); });
    weft::yield();
    cancelled.cancel();
    EXPECT_EQ(cancelled.join().error(), Errc::cancelled);
    bool readable = false;
    auto client = UnixStream::connect(own_name("accept")).value();
    weft::select(weft::readable(listener, [&] { readable = true; }));
    EXPECT_TRUE(readable);
    EXPECT_TRUE(listener.accept());
    auto one = weft::spawn([&] { return listener.accept().error(); });
    auto two = weft::spawn([&] { return listener.accept_stream().error(); });
    weft::yield();
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(one.join().error(), Errc::closed);
    EXPECT_EQ(two.join().error(), Errc::closed);
  });
}

TEST(UnixStream, ClosedWhileOthersReadAndWriteEndsTheirCalls) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          auto pair = UnixStream::pair().value();
          auto reading = weft::spawn([&] { return read_text(pair.first, 1).size(); });
          const std::string much(8 << 20, 'm');
          auto writing = weft::spawn([&] { return pair.first.write_all(much).error(); });
          auto closed = weft::spawn([&] { return pair.first.wait_closed().error(); });
          EXPECT_EQ(read_text(pair.second, 100), std::string(100, 'm'));
          EXPECT_TRUE(pair.first.close());
          EXPECT_EQ(reading.join().value(), 0u);
          EXPECT_EQ(writing.join().error(), Errc::closed);
          static_cast<void>(closed.join());
          EXPECT_EQ(pair.first.read_some(weft::MutableBuffer()).value(), 0u);
        },
        threads);
  }
}

TEST(UnixStream, IsHandedToAFiberOfAnotherContext) {
  stranger::in_fiber([] {
    weft::ConcurrentContext one("one");
    weft::ParallelContext two("two", {.parallelism = 2});
    auto pair = UnixStream::pair().value();
    EXPECT_EQ(pair.second.wait_readable(1ms).error(), Errc::timed_out) << "registered here";
    auto there = two.spawn([stream = std::move(pair.second)]() mutable {
      const std::string request = read_text(stream, 7);
      EXPECT_TRUE(stream.write_all("answer to " + request));
      return std::move(stream);
    });
    auto asking = one.spawn([&] {
      EXPECT_TRUE(pair.first.write_all("request"));
      return read_text(pair.first, 17);
    });
    EXPECT_EQ(asking.join().value(), "answer to request");
    UnixStream back = there.join().value();
    EXPECT_TRUE(pair.first.write_all("bye"));
    EXPECT_EQ(read_text(back, 3), "bye");
  });
}

TEST(UnixStream, EndsAPeerScopeWhenThePeerIsGone) {
  stranger::in_fiber([] {
    auto pair = UnixStream::pair().value();
    weft::Channel<int> nothing;
    auto working = weft::spawn([&] {
      PeerScope scope(pair.first);
      EXPECT_TRUE(scope.status());
      const auto error = nothing.receive().error();
      EXPECT_EQ(scope.status().error(), Errc::cancelled);
      return error == Errc::cancelled;
    });
    weft::yield();
    EXPECT_TRUE(pair.second.write_all("unread"));
    EXPECT_TRUE(pair.second.close());
    EXPECT_TRUE(working.join().value());
    EXPECT_TRUE(pair.first.wait_closed());
    EXPECT_EQ(read_text(pair.first, 100), "unread");
  });
}

TEST(UnixStream, ThatHasOnlyFinishedSendingIsNotGone) {
  stranger::in_fiber([] {
    auto pair = UnixStream::pair().value();
    EXPECT_TRUE(pair.second.shutdown(ShutdownMode::kWrite));
    EXPECT_TRUE(pair.first.wait_closed());
    EXPECT_EQ(pair.first.wait_closed(weft::PeerEnd::kReset, Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_TRUE(pair.first.write_all("answer"));
    EXPECT_EQ(read_text(pair.second, 6), "answer");
    EXPECT_TRUE(pair.second.close());
    EXPECT_TRUE(pair.first.wait_closed(weft::PeerEnd::kReset));
  });
}

// Runs a Python program with `path` as its argument, and gives its exit status.
int python(const char* program, const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("python3", "python3", "-c", program, path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(UnixStream, TalksToAnotherProgram) {
  static constexpr const char* kProgram =
      "import socket, sys\n"
      "s = socket.socket(socket.AF_UNIX)\n"
      "s.connect(sys.argv[1])\n"
      "s.sendall(b'x' * 1000000 + b'\\n')\n"
      "answer = s.makefile('rb').readline()\n"
      "sys.exit(0 if answer == b'1000000 bytes\\r\\n' else 1)\n";
  stranger::in_fiber(
      [] {
        const ScratchDirectory directory;
        auto listener = UnixListener::bind(directory / "s").value();
        auto serving = weft::spawn([&] {
          auto server = listener.accept().value();
          EXPECT_NE(server.peer_credentials().value().pid, ::getpid());
          weft::io::BufferedReader reader(server);
          const std::string line(reader.read_line({.size_max = 1'000'000}).value());
          EXPECT_EQ(line, std::string(1'000'000, 'x'));
          EXPECT_TRUE(server.write_all(std::to_string(line.size()) + " bytes\r\n"));
        });
        weft::IsolatedContext client("client", [&] { EXPECT_EQ(python(kProgram, directory / "s"), 0); });
        EXPECT_TRUE(serving.join());
        EXPECT_TRUE(client.join());
      },
      1);
}

}  // namespace
