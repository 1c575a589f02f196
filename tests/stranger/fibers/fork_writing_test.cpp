// SPDX-License-Identifier: Apache-2.0
// A child of fork() and the sockets to which its parent was writing at the time. Nobody passes the parent's
// turn to write on in the child: a fiber that queued up behind it waited for ever, where all that waits in
// vain in a child is a BUG. A close() there waited for the parent's operations.
#include "stranger/fibers/children.hpp"
#include "stranger/net/streams.hpp"

#include <weft/weft.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using stranger::bytes;
using stranger::Child;
using stranger::in_child;
using stranger::in_fiber;
using stranger::Streams;
using weft::net::TcpStream;

constexpr const char* kWasWriting = "writes to a socket to which a fiber of its parent was writing";

/// In a program of the child's: writes once.
int write_in_a_run(TcpStream& stream) {
  return weft::run([&] { return stream.write_all("x") ? 0 : 1; });
}

/// In the fiber that called fork(): writes once.
int write_at_once(TcpStream& stream) { return stream.write_all("x") ? 0 : 1; }

/// A stream to which a fiber writes that waits for room, and `waiting` others for their turn.
class Busy {
 public:
  explicit Busy(int waiting) {
    stranger::fill(ends.client);
    for (int i = 0; i <= waiting; ++i)
      group.spawn([this] { (void)ends.client.write_all(std::string(4096, 'p')); });
    weft::yield();
  }
  ~Busy() {
    group.cancel();
    (void)group.wait();
  }
  Streams ends;
  weft::TaskGroup<void> group;
};

TEST(ForkWriting, TheForkingFiberIsNamedWhenItWouldWaitForItsTurn) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  for (const int waiting : {0, 2}) {
    in_fiber([waiting] {
      Busy busy(waiting);
      const Child child = in_child([&] { return write_at_once(busy.ends.client); });
      EXPECT_TRUE(child.aborted_with("fter fork() only the parent")) << child.text;
      EXPECT_NE(child.text.find("fiber \"main\""), std::string::npos) << child.text;
      EXPECT_NE(child.text.find("waits for "), std::string::npos) << child.text;
    });
  }
}

TEST(ForkWriting, AWriterInARunOfTheChildIsABug) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  for (const int waiting : {0, 2}) {
    in_fiber([waiting] {
      Busy busy(waiting);
      const Child child = in_child([&] { return write_in_a_run(busy.ends.client); });
      EXPECT_TRUE(child.aborted_with(kWasWriting)) << child.text;
    });
  }
}

// Its write was put off: whoever wants the turn asks for it, but the fiber that would answer is the parent's.
TEST(ForkWriting, AWriteThatWasPutOffIsTheParents) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    Streams ends;
    EXPECT_TRUE(ends.server.write_all("0"));
    auto asks = weft::spawn([&] {
      std::string answer(10, '\0');  // a short count: the write need not be made at once
      EXPECT_EQ(ends.client.read_some(stranger::room(answer)).value(), 1U);
      return ends.client.write_then_read_some(bytes("?"), stranger::room(answer)).value();
    });
    weft::yield();
    const Child in_run = in_child([&] { return write_in_a_run(ends.client); });
    EXPECT_TRUE(in_run.aborted_with(kWasWriting)) << in_run.text;
    EXPECT_EQ(stranger::read_all(ends.server, 1), "?");
    EXPECT_TRUE(ends.server.write_all("!"));
    EXPECT_EQ(asks.join_uncancellable(), 1U);
  });
}

// The assertion is for the parent's writers only: those of the child wait for each other as ever.
TEST(ForkWriting, WritersOfTheChildTakeTheirTurns) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  constexpr std::size_t kSize = 300'000;
  in_fiber([] {
    Streams ends;
    EXPECT_TRUE(ends.client.set_send_buffer_size(16'384));
    const Child child = in_child([&] {
      return weft::run({.parallelism = 2}, [&] {
        weft::TaskGroup<void> group;
        for (const char c : {'a', 'b', 'c', 'd'})
          group.spawn([&, c] { (void)ends.client.write_all(std::string(kSize, c)); });
        const std::string all = stranger::read_all(ends.server, 4 * kSize);
        int changes = 0;
        for (std::size_t i = 1; i < all.size(); ++i) changes += all[i] != all[i - 1] ? 1 : 0;
        (void)group.wait();
        return all.size() == 4 * kSize && changes == 3 ? 0 : 1;
      });
    });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  });
}

/// The number of the file whose peer is `port` of this machine.
int file_with_peer(std::uint16_t port) {
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof(peer);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && ntohs(peer.sin_port) == port)
      return fd;
  }
  return -1;
}

void await_events(int fd, short events) {
  pollfd wanted{.fd = fd, .events = events, .revents = 0};
  EXPECT_EQ(::poll(&wanted, 1, 30'000), 1);
}

// The fiber with the turn is runnable at the moment of the fork: it is an operation in flight, and nobody
// waits for readiness. Two events come in one poll, and the fiber that forks is woken by the first.
TEST(ForkWriting, OperationsOfTheParentDoNotKeepAChildFromClosing) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    Streams busy;
    Streams bell;
    stranger::fill(busy.client);
    bool written = false;
    auto writer = weft::spawn([&] {
      (void)busy.client.write_all("p");
      written = true;
    });
    weft::yield();  // it waits for room
    auto ringer = weft::spawn([&] {
      const int bell_rope = file_with_peer(bell.server.peer_address().value().port());
      const int peer = file_with_peer(busy.server.peer_address().value().port());
      EXPECT_EQ(::send(file_with_peer(bell.server.local_address().value().port()), "r", 1, 0), 1);
      await_events(bell_rope, POLLIN);
      char buffer[65536];
      while (::recv(peer, buffer, sizeof(buffer), MSG_DONTWAIT) > 0) {}
      await_events(file_with_peer(busy.server.local_address().value().port()), POLLOUT);
    });
    std::byte ring[1];
    ASSERT_TRUE(bell.server.read_exact(ring));
    ASSERT_FALSE(written);
    const Child closes = in_child([&] {
      return weft::run([&] {
        // A deadline that has passed: adopted by the wait, which ends at once.
        const auto late = busy.client.read_exact_until(ring, weft::Deadline::after(1ms));
        return late.error() == weft::Errc::timed_out && busy.client.close() && !busy.client.is_open() ? 0 : 1;
      });
    });
    EXPECT_EQ(closes.exit_code(), 0) << closes.text;
    const Child writes = in_child([&] { return write_in_a_run(busy.client); });
    EXPECT_TRUE(writes.aborted_with(kWasWriting)) << writes.text;
    writer.join_uncancellable();
    ringer.join_uncancellable();
  });
}

// Its memory is given back when it ends, and with it what a report says of it.
TEST(ForkWriting, ADetachedFiberThatReturnsInTheChildIsSaidToReturn) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  in_fiber([] {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    pid_t pid = 0;
    weft::Latch forked(1);
    weft::spawn(
        [&] {
          pid = ::fork();
          if (pid != 0) return forked.count_down();
          ::alarm(30);
          ::dup2(pipe[1], STDERR_FILENO);
        },
        {.name = "forker"})
        .detach();
    forked.wait_uncancellable();
    ::close(pipe[1]);
    const std::string text = stranger::read_all(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
    EXPECT_NE(text.find("returns in a child of fork()"), std::string::npos) << text;
    EXPECT_NE(text.find("forker"), std::string::npos) << text;
  });
}

}  // namespace
