// SPDX-License-Identifier: Apache-2.0
// An idle connection kept what its handlers had ever touched of the stack: 98 KB after one that went 100 KB
// deep.
#include "resident.hpp"

#include <weft/weft.hpp>

#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using stranger::resident;

/// A client that costs this process no memory: the kernel's socket, and a descriptor.
class KernelClient {
 public:
  explicit KernelClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  KernelClient(KernelClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~KernelClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view text) {
    EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string receive() {
    std::array<char, 4096> part;
    const ssize_t n = ::read(fd_, part.data(), part.size());
    return n > 0 ? std::string(part.data(), static_cast<std::size_t>(n)) : std::string();
  }

 private:
  int fd_;
};

void serve_deep_and_shallow(weft::http::Server& server) {
  server.get("/deep", [](const weft::http::Request&, weft::http::Response& response) {
    stranger::go_deep(100 * 1024);
    response.text("deep");
  });
  server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("hi"); });
}

/// One exchange at a time, so that the server needs no memory for several.
void exchange(KernelClient& client, std::string_view path) {
  client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 200"));
}

/// What blocks, while the calling fiber waits for it.
void on_a_thread(const std::function<void()>& work) {
  weft::IsolatedContext thread("clients", [&] { work(); });
  EXPECT_TRUE(thread.join());
}

TEST(IdleConnection, HoldsEightKilobytesWhateverItsHandlersDid) {
  constexpr int kConnections = STRANGER_COUNTS_MEMORY ? 500 : 20;
  stranger::in_fiber([] {
    weft::http::Server server;
    serve_deep_and_shallow(server);
    const auto address = server.start("127.0.0.1:0").value();
    std::vector<KernelClient> clients;
    clients.reserve(kConnections);
    const auto make_clients = [&](int count, std::string_view path) {
      on_a_thread([&] {
        for (int i = 0; i < count; ++i) exchange(clients.emplace_back(address.port()), path);
      });
    };
    make_clients(10, "/");  // what is needed once
    EXPECT_TRUE(weft::sleep(10ms));
    const long before = resident();
    make_clients(kConnections - 10, "/deep");
    const auto each = [&] { return (resident() - before) / (kConnections - 10); };
    // Well before the server closes them as idle.
    constexpr int kLooks = STRANGER_COUNTS_MEMORY ? 300 : 20;
    for (int i = 0; i < kLooks && each() > 8 * 1024; ++i) EXPECT_TRUE(weft::sleep(100ms));
    if (STRANGER_COUNTS_MEMORY) {
      EXPECT_LE(each(), 8 * 1024);
    }
    std::printf("an idle connection holds %ld bytes\n", each());
    // And goes on to serve.
    on_a_thread([&] {
      for (KernelClient& client : clients) exchange(client, "/");
      for (KernelClient& client : clients) exchange(client, "/deep");
    });
    clients.clear();
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

}  // namespace
