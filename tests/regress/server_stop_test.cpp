// SPDX-License-Identifier: Apache-2.0
// Server::stop() closed the listeners itself: it waited for each acceptor to leave accept(), for ever if the
// thread that had to run it waited for stop(). The kernel reset what was queued, and a new connection counted
// as idle.

#include "support/tcp.hpp"
#include "sys/fault.hpp"

#include <weft/weft.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace weft {
namespace {

using namespace std::chrono_literals;

std::string read_to_end(net::TcpStream& stream) {
  std::string all;
  std::array<char, 1000> part;
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) all.append(part.data(), *n);
  return all;
}

class ServerStop : public testing::Test {
 protected:
  static void answer(const http::Request&, http::Response& response) { response.text("served"); }

  void run_server(const std::function<void(http::Server&, const net::SocketAddress&)>& body) {
    run([&] {
      http::Server server;
      server.get("/", answer);
      body(server, server.start("127.0.0.1:0").value());
    });
  }
  static constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
};

TEST_F(ServerStop, DoesNotWaitForTheThreadOfAnAcceptor) {
  run_server([](http::Server& server, const net::SocketAddress&) {
    yield();                                     // it accepts
    std::thread([&] { server.stop(); }).join();  // this thread is the only one that could run the acceptor
    EXPECT_EQ(server.start("127.0.0.1:0").error(), Errc::closed);
    EXPECT_TRUE(server.wait());
  });
}

TEST_F(ServerStop, AFailingAcceptDelaysTheQueueAndDoesNotLoseIt) {
  for (const int error : {EMFILE, ECONNABORTED, ENOSR, EINTR}) {
    run_server([&](http::Server& server, const net::SocketAddress& address) {
      net::TcpStream client = net::TcpStream::connect(address).value();
      sys::FaultPlan faults;
      faults.fail(sys::Call::accept, error, {.times = 3});
      server.stop();
      EXPECT_TRUE(client.write_all(kRequest));
      EXPECT_TRUE(read_to_end(client).ends_with("served")) << error;
      client = {};
      EXPECT_TRUE(server.wait());
    });
  }
}

TEST_F(ServerStop, AnAcceptThatFailsForGoodEndsTheDrain) {
  run_server([&](http::Server& server, const net::SocketAddress& address) {
    sys::FaultPlan faults;
    faults.fail(sys::Call::accept, EMFILE, {.times = sys::FaultRange::kAlways});
    net::TcpStream client = net::TcpStream::connect(address).value();
    server.stop(Deadline::never());
    EXPECT_TRUE(server.wait());
    EXPECT_EQ(read_to_end(client), "");
  });
}

/// Asks to be connected, and does not wait for it.
class EagerClient {
 public:
  ~EagerClient() { ::close(fd_); }
  void ask(const net::SocketAddress& server) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), -1);
    EXPECT_EQ(errno, EINPROGRESS) << "the kernel would make the connection, and reset it";
  }
  /// Once it is connected, at the latest when the kernel has asked again.
  int error() {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    while (::poll(&writable, 1, 0) != 1) EXPECT_TRUE(sleep(10ms));
    int error = -1;
    socklen_t size = sizeof(error);
    EXPECT_EQ(::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    return error;
  }

 private:
  const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
};

// The last moment: the queue is empty, and the listener not closed yet.
TEST_F(ServerStop, WhoComesBetweenTheLastAcceptAndTheCloseIsLeftToTheNextServerOfThePort) {
  run([&] {
    http::Server old;
    const net::SocketAddress address = old.start("127.0.0.1:0", {.reuse_port = true}).value();
    EagerClient client;
    bool asked = false;
    sys::FaultPlan faults;
    faults.run(sys::Call::close, [&](int) {
      if (!std::exchange(asked, true)) client.ask(address);
    });
    yield();
    old.stop();
    EXPECT_TRUE(old.wait());
    EXPECT_TRUE(asked);
    http::Server next;
    EXPECT_TRUE(next.start(address.to_string(), {.reuse_port = true}));
    EXPECT_EQ(client.error(), 0);
  });
}

}  // namespace
}  // namespace weft
