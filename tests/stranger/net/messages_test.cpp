// SPDX-License-Identifier: Apache-2.0
// An error about an address says which.
#include "streams.hpp"

namespace {

using weft::net::IpAddress;
using weft::net::SocketAddress;
using weft::net::TcpListener;
using weft::net::TcpStream;

/// What the exception of a failed value() says.
template <class Call>
std::string thrown_by(Call&& call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Messages, OfAParseNameTheText) {
  EXPECT_EQ(thrown_by([] { (void)SocketAddress::parse("nowhere").value(); }),
            "reading the address nowhere: invalid address");
  EXPECT_EQ(thrown_by([] { (void)IpAddress::parse("1.2.3.999").value(); }),
            "reading the address 1.2.3.999: invalid address");
  EXPECT_EQ(SocketAddress::parse("[::1:80").message(), "reading the address [::1:80: invalid address");
}

TEST(Messages, OfABindNameTheAddress) {
  stranger::in_fiber([] {
    const TcpListener first = TcpListener::bind("127.0.0.1:0").value();
    const std::string address = first.local_address().value().to_string();
    EXPECT_EQ(thrown_by([&] { (void)TcpListener::bind(address).value(); }),
              "listening at " + address + ": Address already in use");
    EXPECT_EQ(TcpListener::bind("300.0.0.1:80").message(), "listening at 300.0.0.1:80: invalid address");
    EXPECT_EQ(TcpListener::bind(address).error(), std::errc::address_in_use) << "still the same error";
  });
}

TEST(Messages, OfAConnectNameTheAddress) {
  stranger::in_fiber([] {
    TcpListener gone = TcpListener::bind("127.0.0.1:0").value();
    const SocketAddress address = gone.local_address().value();
    EXPECT_TRUE(gone.close());
    EXPECT_EQ(thrown_by([&] { (void)TcpStream::connect(address).value(); }),
              "connecting to " + address.to_string() + ": Connection refused");
    EXPECT_EQ(TcpStream::connect("local host:80").message(), "connecting to local host:80: invalid address");
  });
}

TEST(Messages, OfAServerNameTheAddress) {
  stranger::in_fiber([] {
    weft::http::Server server;
    EXPECT_EQ(thrown_by([&] { server.listen("local host:8080").value(); }),
              "listening at local host:8080: invalid address");
    const TcpListener taken = TcpListener::bind("127.0.0.1:0").value();
    const std::string address = taken.local_address().value().to_string();
    EXPECT_EQ(server.start(address).message(), "listening at " + address + ": Address already in use");
  });
}

TEST(Messages, OfWhatWentWellAreEmpty) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1:80").message(), "");
  EXPECT_EQ(weft::Result<int>(weft::Errc::closed).message(), "closed");
}

}  // namespace
