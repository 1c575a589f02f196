// SPDX-License-Identifier: Apache-2.0
// Listening at a name.
#include "stranger/names/names.hpp"

namespace stranger {
namespace {

using weft::net::listen_all;
using weft::net::TcpListener;

TEST(ListenByName, ABoundListenerHasTheFirstIpv4Address) {
  in_fiber([] {
    TcpListener listener = TcpListener::bind("localhost:0").value();
    EXPECT_EQ(listener.local_address().value().ip().to_string(), "127.0.0.1");
    EXPECT_EQ(TcpListener::bind("127.0.0.1:0").value().local_address().value().ip().to_string(), "127.0.0.1");
  });
}

TEST(ListenByName, ListenAllHasEveryAddressAtOnePort) {
  in_fiber([] {
    const std::vector<TcpListener> listeners = listen_all("localhost:0").value();
    ASSERT_GE(listeners.size(), 1u);
    const std::uint16_t port = listeners.front().local_address().value().port();
    EXPECT_NE(port, 0);
    for (const TcpListener& each : listeners) {
      EXPECT_EQ(each.local_address().value().port(), port);
      EXPECT_TRUE(each.local_address().value().is_loopback());
      EXPECT_TRUE(weft::net::TcpStream::connect(each.local_address().value(), 30s));
    }
    EXPECT_TRUE(weft::net::connect("localhost:" + std::to_string(port), 30s));
  });
}

TEST(ListenByName, APortThatIsTakenIsAnErrorAndNothingListens) {
  in_fiber([] {
    TcpListener taken = TcpListener::bind("127.0.0.1:0").value();
    const std::string text = "localhost:" + std::to_string(taken.local_address().value().port());
    const std::size_t before = open_files();
    EXPECT_EQ(listen_all(text).error(), std::errc::address_in_use);
    EXPECT_EQ(TcpListener::bind(text).error(), std::errc::address_in_use);
    EXPECT_EQ(open_files(), before);
  });
}

TEST(ListenByName, TextsThatNameNoAddressAreErrors) {
  in_fiber([] {
    for (const char* const text :
         {"", "localhost", "local host:80", "localhost:", "[::1:80", "localhost:99999"}) {
      EXPECT_EQ(TcpListener::bind(text).error(), Errc::invalid_address) << text;
      EXPECT_EQ(listen_all(text).error(), Errc::invalid_address) << text;
    }
    EXPECT_EQ(TcpListener::bind("localhost:nonsense").error(), NameErrc::unknown_service);
  });
}

}  // namespace
}  // namespace stranger
