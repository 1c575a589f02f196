// SPDX-License-Identifier: Apache-2.0
// What text is the address of a Unix socket, and which text an address is.
#include "stranger/net/unix.hpp"

#include <string>

namespace {

using weft::Errc;
using weft::net::UnixAddress;
using weft::net::UnixListener;
using weft::net::UnixStream;
using namespace std::string_literals;

TEST(UnixAddress, IsAPathAnAbstractNameOrUnnamed) {
  const UnixAddress unnamed;
  EXPECT_TRUE(unnamed.is_unnamed());
  EXPECT_FALSE(unnamed.is_path());
  EXPECT_FALSE(unnamed.is_abstract());
  EXPECT_EQ(unnamed.name(), "");
  EXPECT_EQ(unnamed.to_string(), "unnamed");

  const UnixAddress path = UnixAddress::parse("/run/app.sock").value();
  EXPECT_TRUE(path.is_path());
  EXPECT_FALSE(path.is_abstract());
  EXPECT_EQ(path.name(), "/run/app.sock");
  EXPECT_EQ(path.to_string(), "/run/app.sock");

  const UnixAddress abstract = UnixAddress::parse("@app").value();
  EXPECT_TRUE(abstract.is_abstract());
  EXPECT_FALSE(abstract.is_path());
  EXPECT_EQ(abstract.name(), "app");
  EXPECT_EQ(abstract.to_string(), "@app");

  EXPECT_EQ(UnixAddress::parse("./@app").value().to_string(), "./@app");
  EXPECT_TRUE(UnixAddress::path("@app").value().is_path());
  EXPECT_EQ(UnixAddress::parse("unnamed").value().name(), "unnamed") << "a file of that name";
}

TEST(UnixAddress, IsComparedByKindAndName) {
  EXPECT_EQ(UnixAddress::parse("@a").value(), UnixAddress::abstract("a").value());
  EXPECT_EQ(UnixAddress::parse("a").value(), UnixAddress::path("a").value());
  EXPECT_NE(UnixAddress::path("a").value(), UnixAddress::abstract("a").value());
  EXPECT_LT(UnixAddress::path("a").value(), UnixAddress::path("b").value());
  EXPECT_EQ(UnixAddress(), UnixAddress());
}

TEST(UnixAddress, HasAtMostWhatTheKernelTakes) {
  EXPECT_EQ(UnixAddress::kSizeMax, 107u);
  EXPECT_EQ(UnixAddress::path(std::string(107, 'p')).value().name().size(), 107u);
  EXPECT_EQ(UnixAddress::path(std::string(108, 'p')).error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::abstract(std::string(107, 'n')).value().name().size(), 107u);
  EXPECT_EQ(UnixAddress::abstract(std::string(108, 'n')).error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::parse("@" + std::string(107, 'n')).value().name().size(), 107u);
  EXPECT_EQ(UnixAddress::parse("@" + std::string(108, 'n')).error(), Errc::invalid_address);
}

TEST(UnixAddress, RefusesWhatIsNone) {
  EXPECT_EQ(UnixAddress::parse("").error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::path("").error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::abstract("").error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::parse("@").error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::path("a\0b"s).error(), Errc::invalid_address);
  EXPECT_EQ(UnixAddress::path("\0"s).error(), Errc::invalid_address);
}

TEST(UnixAddress, WritesControlCharactersOfANameAsNumbers) {
  EXPECT_EQ(UnixAddress::abstract("a\0b\n\x7f"s).value().to_string(), "@a\\x00b\\x0a\\x7f");
  EXPECT_EQ(UnixAddress::abstract("a\0b"s).value().name(), "a\0b"s);
  EXPECT_EQ(UnixAddress::path("/tmp/\x1b[31m").value().to_string(), "/tmp/\\x1b[31m");
  EXPECT_EQ(UnixAddress::path("/tmp/\xc3\xa4").value().to_string(), "/tmp/\xc3\xa4");
}

// Both ends give the same address back, of whatever size and bytes.
void comes_back(const UnixAddress& address) {
  auto listener = UnixListener::bind(address).value();
  EXPECT_EQ(listener.local_address().value(), address);
  EXPECT_EQ(listener.local_name(), address.to_string());
  auto client = UnixStream::connect(address).value();
  EXPECT_EQ(client.peer_address().value(), address);
  EXPECT_EQ(client.peer_name(), address.to_string());
  EXPECT_TRUE(client.local_address().value().is_unnamed());
  auto server = listener.accept().value();
  EXPECT_EQ(server.local_address().value(), address);
  EXPECT_TRUE(server.peer_address().value().is_unnamed());
  EXPECT_EQ(server.peer_name(), "unnamed");
}

TEST(UnixAddress, ComesBackFromTheKernelAsItWas) {
  stranger::in_fiber([] {
    const std::string own = "weft-test-" + std::to_string(::getpid());
    const stranger::ScratchDirectory directory;
    comes_back(UnixAddress::abstract(own).value());
    comes_back(UnixAddress::abstract("\0"s + own + "\0\0"s).value());
    comes_back(UnixAddress::abstract(own + std::string(107 - own.size(), 'x')).value());
    comes_back(UnixAddress::path(directory / "s").value());
    const std::string prefix = directory / "";
    comes_back(UnixAddress::path(prefix + std::string(107 - prefix.size(), 'x')).value());
  });
}

}  // namespace
