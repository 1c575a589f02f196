// SPDX-License-Identifier: Apache-2.0
// An HTTP server over a Unix listener.
#include "stranger/net/unix.hpp"

#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::own_name;
using stranger::ScratchDirectory;
using weft::Errc;
using weft::http::Request;
using weft::http::Response;
using weft::http::Server;
using weft::net::UnixListener;
using weft::net::UnixStream;

/// A request, and the body of its response.
std::string ask(UnixStream& stream, weft::io::BufferedReader& reader, const std::string& request) {
  EXPECT_TRUE(stream.write_all(request));
  const auto status = reader.read_line();
  if (!status) return status.message();
  EXPECT_EQ(*status, "HTTP/1.1 200 OK");
  std::size_t size = 0;
  for (;;) {
    const std::string line(reader.read_line().value());
    if (line.empty()) break;
    if (line.starts_with("Content-Length: ")) size = std::stoul(line.substr(16));
  }
  return std::string(reader.read_exactly(size).value());
}

std::unique_ptr<weft::net::Listener> bound(const std::string& address) {
  return std::make_unique<UnixListener>(UnixListener::bind(address).value());
}

TEST(UnixHttp, ServesAndNamesItsPeer) {
  for (const std::uint32_t threads : {1u, 2u}) {
    stranger::in_fiber(
        [] {
          const ScratchDirectory directory;
          const std::string path = directory / "http";
          Server server;
          server.get("/", [](const Request& request, Response& response) {
            EXPECT_EQ(request.peer_address().error(), Errc::unsupported);
            response.text("hello " + request.peer_name());
          });
          server.post("/size", [](const Request& request, Response& response) {
            response.text(std::to_string(request.read_all().value().size()));
          });
          EXPECT_TRUE(server.start(bound(path)));
          auto client = UnixStream::connect(path).value();
          weft::io::BufferedReader reader(client);
          EXPECT_EQ(ask(client, reader, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "hello unnamed");
          EXPECT_EQ(ask(client, reader,
                        "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
                            std::string(100'000, 'b')),
                    "100000");
          EXPECT_EQ(ask(client, reader, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "hello unnamed");
          server.stop();
          EXPECT_TRUE(server.wait());
          EXPECT_FALSE(stranger::exists(path)) << "the server has closed its listener";
          EXPECT_EQ(reader.read_line().error(), Errc::end_of_file);
        },
        threads);
  }
}

TEST(UnixHttp, IsServedInSeveralContexts) {
  stranger::in_fiber([] {
    weft::ConcurrentContext one("one");
    weft::ConcurrentContext two("two");
    const std::string name = own_name("http");
    Server server;
    server.get("/", [](const Request&, Response& response) { response.text("ok"); });
    EXPECT_TRUE(server.start(bound(name), {.contexts = {&one, &two}}));
    weft::TaskGroup<void> group;
    for (int i = 0; i < 20; ++i) {
      group.spawn([&] {
        auto client = UnixStream::connect(name).value();
        weft::io::BufferedReader reader(client);
        for (int request = 0; request < 5; ++request)
          EXPECT_EQ(ask(client, reader, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "ok");
      });
    }
    EXPECT_TRUE(group.wait());
    EXPECT_EQ(server.counters().connections, 20u);
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

TEST(UnixHttp, CancelsAHandlerWhoseClientIsGone) {
  stranger::in_fiber([] {
    const std::string name = own_name("gone");
    Server server;
    weft::Channel<bool> ended(1);
    server.get("/", [&](const Request&, Response&) {
      ended.send(weft::sleep(1h).error() == Errc::cancelled).value();
    });
    EXPECT_TRUE(server.start(bound(name)));
    auto client = UnixStream::connect(name).value();
    EXPECT_TRUE(client.write_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    weft::yield();
    EXPECT_TRUE(client.close());
    EXPECT_TRUE(ended.receive().value());
  });
}

TEST(UnixHttp, OfAListenerThatIsClosedOrNoneFails) {
  stranger::in_fiber([] {
    Server server;
    EXPECT_EQ(server.start(std::make_unique<UnixListener>()).error(), Errc::closed);
    EXPECT_EQ(server.start(std::unique_ptr<weft::net::Listener>()).error(), Errc::closed);
    server.stop();
    const std::string name = own_name("stopped");
    EXPECT_EQ(server.start(bound(name)).error(), Errc::closed);
    EXPECT_FALSE(UnixStream::connect(name)) << "the listener was closed";
  });
}

}  // namespace
