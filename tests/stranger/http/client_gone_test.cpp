// SPDX-License-Identifier: Apache-2.0
// A handler whose client is gone.
//
// What was wrong: it was told nothing, and worked to its end for nobody.
#include "raw_client.hpp"

#include <optional>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::RawClient;
using weft::Errc;
using weft::http::Limits;
using weft::http::Request;
using weft::http::Response;
using weft::net::SocketAddress;

struct Told {
  std::error_code error;
};

/// What a handler that sleeps for an hour, or waits in `wait`, was told; it has begun when begun() returns.
class Sleeper {
 public:
  explicit Sleeper(const Limits& limits = {}, std::function<std::error_code()> wait = {}) : server_(limits) {
    if (!wait) wait = [] { return weft::sleep(1h).error(); };
    const auto handler = [this, wait](const Request& request, Response& response) {
      body_ = request.read_all().value_or("lost");
      started_.send(1).value();
      const std::error_code error = wait();
      response.text("late");
      ended_.send({error}).value();
    };
    server_.get("/", handler).post("/", handler);
    address_ = server_.start("127.0.0.1:0").value();
  }

  void begun() { started_.receive().value(); }
  std::error_code error() { return ended_.receive().value().error; }
  const std::string& body() const { return body_; }
  const SocketAddress& address() const { return address_; }

 private:
  std::string body_;
  weft::Channel<int> started_{16};
  weft::Channel<Told> ended_{16};
  weft::http::Server server_;
  SocketAddress address_;
};

void reset(RawClient& client) {
  EXPECT_TRUE(client.stream().set_linger(0s));
  EXPECT_TRUE(client.stream().close());
}

TEST(ClientGone, AResetEndsTheHandlersWaits) {
  stranger::in_fiber([] {
    Sleeper sleeper;
    RawClient client(sleeper.address());
    client.send(stranger::get("/"));
    sleeper.begun();
    reset(client);
    EXPECT_EQ(sleeper.error(), Errc::cancelled);
  });
}

TEST(ClientGone, ACloseDoesTooAlsoBehindAnotherRequest) {
  stranger::in_fiber([] {
    for (const char* more : {"", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n"}) {
      Sleeper sleeper;
      RawClient client(sleeper.address());
      client.send(stranger::get("/", "keep-alive") + more);
      sleeper.begun();
      EXPECT_TRUE(client.stream().close());
      EXPECT_EQ(sleeper.error(), Errc::cancelled) << more;
    }
  });
}

TEST(ClientGone, AHalfCloseDoesAndTheClientIsStillAnswered) {
  stranger::in_fiber([] {
    Sleeper sleeper;
    RawClient client(sleeper.address());
    client.send(stranger::get("/")).finish_sending();
    sleeper.begun();
    EXPECT_EQ(sleeper.error(), Errc::cancelled);
    EXPECT_EQ(stranger::body_of(client.read_to_end()), "late");
  });
}

TEST(ClientGone, AHalfCloseDoesNotWhereTheOptionSaysSoButAResetDoes) {
  stranger::in_fiber([] {
    weft::Channel<int> go;
    Limits limits;
    limits.half_close_cancels = false;
    Sleeper sleeper(limits, [&] { return go.receive().error(); });
    RawClient polite(sleeper.address());
    polite.send(stranger::get("/")).finish_sending();
    sleeper.begun();
    go.send(1).value();
    EXPECT_EQ(sleeper.error(), std::error_code());
    EXPECT_EQ(stranger::body_of(polite.read_to_end()), "late");
    RawClient client(sleeper.address());
    client.send(stranger::get("/"));
    sleeper.begun();
    reset(client);
    EXPECT_EQ(sleeper.error(), Errc::cancelled);
  });
}

TEST(ClientGone, EveryKindOfWaitEndsAndSoDoChildrenOfGroups) {
  stranger::in_fiber([] {
    weft::Channel<int> nothing;
    weft::Semaphore none(0);
    weft::ConditionVariable never;
    const std::vector<std::function<std::error_code()>> waits{
        [&] { return nothing.receive().error(); },
        [&] { return none.acquire().error(); },
        [&] {
          weft::Mutex mutex;
          std::unique_lock lock(mutex);
          return never.wait(lock).error();
        },
        [&] { return weft::select(weft::receive(nothing, [](auto) {})).error(); },
        [&] {
          const weft::CancelScope inner(weft::Deadline::after(1h));
          return weft::sleep(1h).error();
        },
        [&] {
          weft::TaskGroup<void> group;
          group.spawn([] { return weft::sleep(1h); });
          group.spawn([&] { return none.acquire(); });
          return group.wait().error();
        },
        [&] {
          while (!weft::this_fiber::cancel_requested()) weft::yield();
          return weft::sleep(1h).error();
        }};
    for (const auto& wait : waits) {
      Sleeper sleeper({}, wait);
      RawClient client(sleeper.address());
      client.send(stranger::get("/"));
      sleeper.begun();
      EXPECT_TRUE(client.stream().close());
      EXPECT_EQ(sleeper.error(), Errc::cancelled);
    }
  });
}

TEST(ClientGone, AShieldIsNotEnded) {
  stranger::in_fiber([] {
    weft::Channel<int> go;
    Sleeper sleeper({}, [&] {
      EXPECT_EQ(weft::sleep(1h).error(), Errc::cancelled);
      return weft::shield([&] { return go.receive(); }).error();
    });
    RawClient client(sleeper.address());
    client.send(stranger::get("/"));
    sleeper.begun();
    EXPECT_TRUE(client.stream().close());
    go.send(1).value();
    EXPECT_EQ(sleeper.error(), std::error_code());
  });
}

// The end of what the client sends is the end of its body.
TEST(ClientGone, AnUploadIsReadToItsEndBeforeItsClientCountsAsGone) {
  stranger::in_fiber([] {
    const std::string body(3'000'000, 'b');
    for (const bool chunked : {false, true}) {
      Limits limits;
      limits.body_size_max = body.size();
      std::size_t size = 0;
      weft::http::Server server(limits);
      weft::Channel<Told> ended(1);
      server.post("/", [&](const Request& request, Response& response) {
        std::array<std::byte, 1000> part;
        while (auto n = request.read_some(part)) {
          size += *n;
          weft::yield();
        }
        response.text(std::to_string(size));
        ended.send({weft::sleep(1h).error()}).value();
      });
      const SocketAddress address = server.start("127.0.0.1:0").value();
      RawClient client(address);
      std::string request = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
      request += chunked ? "Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n" + body + "\r\n0\r\n\r\n"
                         : "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      client.send(request).finish_sending();
      EXPECT_EQ(stranger::body_of(client.read_to_end()), "3000000");
      EXPECT_EQ(ended.receive().value().error, Errc::cancelled);
    }
  });
}

// A client that has ended sending still reads: what is streamed to it is not cut off.
// The first handler's scope had ended, and the second found it ended: its upload was cut off.
TEST(ClientGone, AnUploadBehindARequestWhoseHandlerWasEndedIsReadToItsEnd) {
  stranger::in_fiber([] {
    weft::http::Server server;
    std::error_code told;
    server.get("/", [&](const Request&, Response& response) {
      told = weft::sleep(1h).error();
      response.text("woken");
    });
    server.post("/", [](const Request& request, Response& response) {
      const weft::Result<std::string> body = request.read_all();
      response.text(body ? std::to_string(body->size()) : body.error().message());
    });
    RawClient client(server.start("127.0.0.1:0").value());
    std::string upload;  // takes more operations than an ended scope lets pass
    for (int i = 0; i < 3000; ++i) upload += "1\r\nu\r\n";
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        upload + "0\r\n\r\n");
    client.finish_sending();
    const std::string replies = client.read_to_end();
    EXPECT_EQ(told, Errc::cancelled);
    EXPECT_EQ(stranger::count_of(replies, "\r\n\r\nwoken"), 1u) << replies;
    EXPECT_TRUE(replies.ends_with("\r\n\r\n3000")) << replies;
  });
}

TEST(ClientGone, AStreamToAClientThatHasEndedSendingIsWhole) {
  stranger::in_fiber([] {
    const std::string piece(64 * 1024, 's');
    constexpr std::size_t kPieces = 200;
    weft::http::Server server;
    std::error_code slept;
    server.get("/", [&](const Request&, Response& response) {
      slept = weft::sleep(1h).error();
      const weft::CancelScope inner(weft::Deadline::after(1h));
      for (std::size_t i = 0; i < kPieces; ++i) EXPECT_TRUE(response.write(piece));
    });
    const SocketAddress address = server.start("127.0.0.1:0").value();
    RawClient client(address);
    client.send("GET / HTTP/1.0\r\n\r\n").finish_sending();
    EXPECT_EQ(stranger::body_of(client.read_to_end()).size(), kPieces * piece.size());
    EXPECT_EQ(slept, Errc::cancelled);
  });
}

TEST(ClientGone, AWriteToAClientThatIsGoneFailsWithTheConnectionsError) {
  stranger::in_fiber([] {
    weft::http::Server server;
    weft::Channel<int> begun(1);
    weft::Channel<Told> ended(1);
    server.get("/", [&](const Request&, Response& response) {
      const std::string piece(64 * 1024, 's');
      begun.send(1).value();
      weft::Result<void> written;
      while (written) written = response.write(piece);
      EXPECT_EQ(response.write("more").error(), Errc::closed);
      ended.send({written.error()}).value();
    });
    const SocketAddress address = server.start("127.0.0.1:0").value();
    RawClient client(address);
    client.send(stranger::get("/"));
    begun.receive().value();
    reset(client);
    const std::error_code error = ended.receive().value().error;
    EXPECT_TRUE(error == std::errc::connection_reset || error == std::errc::broken_pipe) << error.message();
  });
}

}  // namespace
