// SPDX-License-Identifier: Apache-2.0
// Two servers at one port, one of which takes over from the other.
#include "raw_client.hpp"

#include <map>

namespace {

using namespace std::chrono_literals;
using stranger::body_of;
using stranger::get;
using weft::Deadline;
using weft::Errc;
using weft::http::Request;
using weft::http::Response;
using weft::http::ServeOptions;
using weft::net::TcpListener;
using weft::net::TcpStream;

class Named {
 public:
  explicit Named(std::string name) : server({.idle_grace = 1s}) {
    server.get("/", [name = std::move(name)](const Request&, Response& response) { response.text(name); });
  }
  weft::http::Server server;
};

/// Asks from several fibers, on a connection of its own each time, until it is stopped: who answered how
/// often. An empty name counts what was not answered.
class FreshClients {
 public:
  explicit FreshClients(const weft::net::SocketAddress& address) {
    for (int i = 0; i < 8; ++i)
      fibers_.push_back(weft::spawn([this, address] { ask_until_stopped(address); }));
  }
  /// Until so many more answers have come from `name`.
  void wait_for(const std::string& name, int count) {
    for (const int before = answers_[name]; answers_[name] < before + count;) EXPECT_TRUE(weft::sleep(1ms));
  }
  std::map<std::string, int> stop() {
    stopped_ = true;
    for (auto& fiber : fibers_) fiber.join_uncancellable();
    return answers_;
  }

 private:
  void ask_until_stopped(const weft::net::SocketAddress& address) {
    while (!stopped_) ++answers_[ask(address)];
  }
  static std::string ask(const weft::net::SocketAddress& address) {
    auto stream = TcpStream::connect(address);
    if (!stream || !stream->write_all(get("/"))) return "";
    std::string reply;
    std::array<char, 1000> part;
    while (auto n = stream->read_some(std::as_writable_bytes(std::span(part)))) reply.append(part.data(), *n);
    return body_of(reply);
  }

  bool stopped_ = false;  // one thread
  std::map<std::string, int> answers_;
  std::vector<weft::JoinHandle<void>> fibers_;
};

TEST(SharedPort, AServerServesAListenerThatItIsGiven) {
  stranger::in_fiber([] {
    Named one("one");
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    const auto address = listener.local_address().value();
    EXPECT_EQ(one.server.start(std::move(listener)).value(), address);
    EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "one");
    one.server.stop();
    EXPECT_TRUE(one.server.wait());
    EXPECT_FALSE(TcpStream::connect(address)) << "closed";
    EXPECT_EQ(one.server.start(TcpListener::bind("127.0.0.1:0").value()).error(), Errc::closed);
    EXPECT_EQ(Named("closed").server.start(TcpListener()).error(), Errc::closed);
  });
}

TEST(SharedPort, SeveralContextsShareAListenerThatWasGiven) {
  stranger::in_fiber([] {
    weft::ConcurrentContext first("first");
    weft::ConcurrentContext second("second");
    Named one("one");
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    const auto address = one.server.start(std::move(listener), {.contexts = {&first, &second}}).value();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(stranger::reply_to(address, get("/"))), "one");
    one.server.stop();
    EXPECT_TRUE(one.server.wait());
    EXPECT_FALSE(TcpStream::connect(address));
  });
}

TEST(SharedPort, TheSameSocketInTwoServersHandsOverWithoutAFailure) {
  stranger::in_fiber([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    auto copy = listener.duplicate().value();
    Named old_one("old");
    Named new_one("new");
    const auto address = old_one.server.start(std::move(listener)).value();
    FreshClients clients(address);
    clients.wait_for("old", 100);
    EXPECT_TRUE(new_one.server.start(std::move(copy)));
    old_one.server.stop(Deadline::never());
    EXPECT_TRUE(old_one.server.wait());
    clients.wait_for("new", 100);
    EXPECT_EQ(clients.stop()[""], 0);
  });
}

TEST(SharedPort, OneContextSharesItsPortIfAsked) {
  stranger::in_fiber([] {
    Named old_one("old");
    Named new_one("new");
    const auto address = old_one.server.start("127.0.0.1:0", {.reuse_port = true}).value();
    EXPECT_EQ(Named("alone").server.start(address.to_string()).error(), std::errc::address_in_use);
    FreshClients clients(address);
    clients.wait_for("old", 100);
    EXPECT_EQ(new_one.server.start(address.to_string(), {.reuse_port = true}).value(), address);
    clients.wait_for("new", 10);
    old_one.server.stop(Deadline::never());
    EXPECT_TRUE(old_one.server.wait());
    clients.wait_for("new", 100);
    EXPECT_EQ(clients.stop()[""], 0);
  });
}

}  // namespace
