// SPDX-License-Identifier: Apache-2.0
// Connecting by name, over the kernel.
#include "stranger/names/names.hpp"

namespace stranger {
namespace {

using weft::net::ConnectAttempt;
using weft::net::TcpListener;
using weft::net::TcpStream;

ResolverOptions of_hosts(const TemporaryFile& hosts) {
  return {.servers = {"127.0.0.1:1"},
          .timeout = 60s,
          .tries = 1,
          .search = std::vector<std::string>{},
          .hosts_file = hosts.path(),
          .resolv_conf = "/dev/null"};
}

std::string at_port(const std::string& host, const TcpListener& listener) {
  return host + ":" + std::to_string(listener.local_address().value().port());
}

TEST(ConnectByName, ReachesAListenerAtLocalhost) {
  in_fiber([] {
    TcpListener listener = TcpListener::bind("localhost:0").value();
    TcpStream client = weft::net::connect(at_port("localhost", listener), 30s).value();
    TcpStream server = listener.accept().value();
    client.write_all("hello").value();
    std::array<char, 5> bytes{};
    server.read_exact(bytes).value();
    EXPECT_EQ(std::string(bytes.data(), bytes.size()), "hello");
    EXPECT_TRUE(TcpStream::connect(at_port("localhost", listener), 30s));
    EXPECT_TRUE(weft::net::connect(at_port("127.0.0.1", listener), 30s));
  });
}

TEST(ConnectByName, GoesOnWithTheNextAddressAfterARefusal) {
  const TemporaryFile hosts("127.0.0.2 three.test\n127.0.0.3 three.test\n127.0.0.1 three.test\n");
  in_fiber([&] {
    Resolver resolver(of_hosts(hosts));
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    std::vector<ConnectAttempt> attempts;
    const auto stream = weft::net::connect(at_port("three.test", listener), 30s,
                                           {.resolver = &resolver, .attempts = &attempts});
    EXPECT_EQ(stream.value().peer_address().value(), listener.local_address().value());
    ASSERT_EQ(attempts.size(), 3u);
    EXPECT_EQ(attempts[0].address.ip().to_string(), "127.0.0.2");
    EXPECT_EQ(attempts[0].error, std::errc::connection_refused);
    EXPECT_EQ(attempts[1].address.ip().to_string(), "127.0.0.3");
    EXPECT_EQ(attempts[1].error, std::errc::connection_refused);
    EXPECT_EQ(attempts[2].address.ip().to_string(), "127.0.0.1");
    EXPECT_FALSE(attempts[2].error);
  });
}

TEST(ConnectByName, AFailureNamesEachAddressAndWhy) {
  const TemporaryFile hosts("127.0.0.2 two.test\n127.0.0.3 two.test\n");
  in_fiber([&] {
    Resolver resolver(of_hosts(hosts));
    const std::size_t before = open_files();
    const auto stream = weft::net::connect("two.test:1", 30s, {.resolver = &resolver});
    EXPECT_EQ(stream.error(), std::errc::connection_refused);
    EXPECT_EQ(stream.message(),
              "connecting to two.test:1 (127.0.0.2: Connection refused, 127.0.0.3: Connection refused): "
              "Connection refused");
    EXPECT_EQ(open_files(), before);
  });
}

TEST(ConnectByName, TextsThatNameNoAddressAreErrors) {
  const TemporaryFile hosts("127.0.0.1 one.test\n");
  in_fiber([&] {
    Resolver resolver(of_hosts(hosts));
    std::vector<ConnectAttempt> attempts(3);
    for (const std::string& text :
         {std::string(""), std::string("one.test"), std::string("one.test:"), std::string("::1:80"),
          std::string("[one.test]:80"), std::string("one test:80"), std::string("one.test:65536"),
          std::string("127.1:80"), std::string(100'000, ':')})
      EXPECT_EQ(weft::net::connect(text, 30s, {.resolver = &resolver, .attempts = &attempts}).error(),
                Errc::invalid_address)
          << text.substr(0, 80);
    EXPECT_TRUE(attempts.empty());
    EXPECT_EQ(weft::net::connect("one.test:nonsense", 30s, {.resolver = &resolver}).message(),
              "connecting to one.test:nonsense: there is no such service");
  });
}

TEST(ConnectByName, ACancelledCallConnectsNothing) {
  in_fiber([] {
    TcpListener listener = TcpListener::bind("localhost:0").value();
    const std::size_t before = open_files();
    {
      weft::CancelScope scope;
      scope.cancel();
      EXPECT_EQ(weft::net::connect(at_port("localhost", listener)).error(), Errc::cancelled);
    }
    EXPECT_EQ(open_files(), before);
  });
}

}  // namespace
}  // namespace stranger
