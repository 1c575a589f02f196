// SPDX-License-Identifier: Apache-2.0
// Listeners that come from elsewhere: adopted, duplicated, passed by socket activation; and one that takes no
// new connection, so that it can be closed without losing one.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using weft::Errc;
using weft::net::ListenFd;
using weft::net::TcpListener;
using weft::net::TcpStream;

std::error_code errno_code(int value) { return {value, std::system_category()}; }

/// A socket that listens at a free port of 127.0.0.1, made without weft.
int plain_listener() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(fd, 16), 0);
  return fd;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

std::string received(TcpStream& stream) {
  std::array<std::byte, 16> buffer;
  const auto n = stream.read_some(buffer);
  return n ? std::string(reinterpret_cast<const char*>(buffer.data()), *n) : n.error().message();
}

TEST(PassedListeners, AnAdoptedOneAccepts) {
  stranger::in_fiber([] {
    const int fd = plain_listener();
    auto listener = TcpListener::adopt(fd).value();
    EXPECT_EQ(listener.native_handle(), fd);
    auto client = TcpStream::connect(listener.local_address().value()).value();
    auto server = listener.accept().value();
    EXPECT_TRUE(client.write_all("hello"));
    EXPECT_EQ(received(server), "hello");
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_TRUE(listener.close());
    EXPECT_FALSE(is_open(fd));
  });
}

TEST(PassedListeners, WhatDoesNotListenIsRefusedAndStaysTheCallers) {
  stranger::in_fiber([] {
    EXPECT_EQ(TcpListener::adopt(-1).error(), errno_code(EBADF));
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    EXPECT_EQ(TcpListener::adopt(pipe_ends[0]).error(), errno_code(ENOTSOCK));
    const int stream = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(TcpListener::adopt(stream).error(), errno_code(EINVAL));
    const int datagram = ::socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(TcpListener::adopt(datagram).error(), errno_code(EPROTOTYPE));
    const int local = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(TcpListener::adopt(local).error(), errno_code(EAFNOSUPPORT));
    for (const int fd : {pipe_ends[0], pipe_ends[1], stream, datagram, local}) {
      EXPECT_TRUE(is_open(fd));
      EXPECT_EQ(::close(fd), 0);
    }
  });
}

TEST(PassedListeners, ADuplicateHasTheSameQueueAndOutlivesTheFirst) {
  stranger::in_fiber([] {
    auto first = TcpListener::bind("127.0.0.1:0").value();
    const auto address = first.local_address().value();
    auto second = first.duplicate().value();
    EXPECT_NE(first.native_handle(), second.native_handle());
    EXPECT_EQ(second.local_address().value(), address);
    auto queued = TcpStream::connect(address).value();
    EXPECT_TRUE(first.close());
    auto server = second.accept().value();
    EXPECT_TRUE(queued.write_all("kept"));
    EXPECT_EQ(received(server), "kept");
    EXPECT_TRUE(TcpStream::connect(address));
    EXPECT_EQ(first.duplicate().error(), Errc::closed);
  });
}

TEST(PassedListeners, TryAcceptTakesWhatIsQueuedAndNeverWaits) {
  stranger::in_fiber([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    const auto address = listener.local_address().value();
    EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
    auto one = TcpStream::connect(address).value();
    auto two = TcpStream::connect(address).value();
    EXPECT_EQ(listener.try_accept().value().peer_address().value(), one.local_address().value());
    EXPECT_EQ(listener.try_accept().value().peer_address().value(), two.local_address().value());
    EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
    auto three = TcpStream::connect(address).value();
    EXPECT_TRUE(listener.accept()) << "an accept that waits works after one that does not";
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(listener.try_accept().error(), Errc::closed);
  });
}

TEST(PassedListeners, TryAcceptWorksInACancelledFiber) {
  stranger::in_fiber([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    auto client = TcpStream::connect(listener.local_address().value()).value();
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_TRUE(listener.try_accept());
    EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
  });
}

TEST(PassedListeners, AListenerThatAdmitsNoMoreHandsOverToAnotherOfThePort) {
  stranger::in_fiber([] {
    auto old = TcpListener::bind("127.0.0.1:0", {.reuse_port = true}).value();
    const auto address = old.local_address().value();
    auto queued = TcpStream::connect(address).value();
    EXPECT_TRUE(old.stop_admitting());
    auto late = weft::spawn([&] { return TcpStream::connect(address); });
    EXPECT_TRUE(old.try_accept()) << "what was queued is still there";
    EXPECT_EQ(old.accept_until(weft::Deadline::after(std::chrono::milliseconds(20))).error(),
              Errc::timed_out);
    auto successor = TcpListener::bind(address, {.reuse_port = true}).value();
    EXPECT_TRUE(old.close());
    EXPECT_TRUE(successor.accept()) << "after a second";
    EXPECT_TRUE(late.join());
    EXPECT_EQ(old.stop_admitting().error(), Errc::closed);
  });
}

// -- socket activation

class Environment : public testing::Test {
 protected:
  static void say(const char* name, const std::string& value) {
    ASSERT_EQ(::setenv(name, value.c_str(), 1), 0);
  }
  void TearDown() override {
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  }
};

TEST_F(Environment, NothingWasPassedWithoutLISTEN_FDSOrToAnotherProcess) {
  EXPECT_TRUE(weft::net::listen_fds().value().empty());
  say("LISTEN_PID", std::to_string(::getpid()));
  EXPECT_TRUE(weft::net::listen_fds().value().empty());
  say("LISTEN_FDS", "0");
  EXPECT_TRUE(weft::net::listen_fds().value().empty());
  say("LISTEN_FDS", "1");
  say("LISTEN_PID", std::to_string(::getpid() + 1));
  EXPECT_TRUE(weft::net::listen_fds().value().empty());
  say("LISTEN_PID", "nobody");
  EXPECT_TRUE(weft::net::listen_fds().value().empty());
}

TEST_F(Environment, ANumberOfDescriptorsThatIsNoneIsRefused) {
  say("LISTEN_PID", std::to_string(::getpid()));
  for (const std::string text : {"-1", "x", "1x", "", "99999999999999999999", "2147483647"}) {
    say("LISTEN_FDS", text);
    EXPECT_EQ(weft::net::listen_fds().error(), errno_code(EINVAL)) << text;
  }
}

// What a child of its own sees, started with the descriptors 3 and 4: as systemd starts a service.
std::string seen_with_two_descriptors(const char* names) {
  int report[2];
  EXPECT_EQ(::pipe(report), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int writer = ::fcntl(report[1], F_DUPFD, 10);
    const int passed = ::fcntl(plain_listener(), F_DUPFD, 10);
    ::dup2(passed, 3);
    ::dup2(passed, 4);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    if (names != nullptr) ::setenv("LISTEN_FDNAMES", names, 1);
    std::string text;
    const std::vector<ListenFd> passed_fds = weft::net::listen_fds().value();
    for (const ListenFd& fd : passed_fds) {
      const bool closes = (::fcntl(fd.fd, F_GETFD) & FD_CLOEXEC) != 0;
      text += std::to_string(fd.fd) + "=" + fd.name + (closes ? "; " : " stays open; ");
    }
    ::close(4);
    text += weft::net::listen_fds().error().message();
    [[maybe_unused]] const ssize_t written = ::write(writer, text.data(), text.size());
    ::_exit(0);
  }
  ::close(report[1]);
  std::string seen;
  char part[200];
  for (ssize_t n; (n = ::read(report[0], part, sizeof(part))) > 0;)
    seen.append(part, static_cast<std::size_t>(n));
  ::close(report[0]);
  ::waitpid(child, nullptr, 0);
  return seen;
}

TEST_F(Environment, PassedDescriptorsHaveTheirNamesAndAreClosedOnExec) {
  EXPECT_EQ(seen_with_two_descriptors("web:admin"), "3=web; 4=admin; Bad file descriptor");
  EXPECT_EQ(seen_with_two_descriptors("web"), "3=web; 4=; Bad file descriptor");
  EXPECT_EQ(seen_with_two_descriptors(nullptr), "3=; 4=; Bad file descriptor");
}

}  // namespace
