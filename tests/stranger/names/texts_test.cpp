// SPDX-License-Identifier: Apache-2.0
// What needs no name server: numbers, names that are none, services, the hosts file, localhost.
#include "stranger/names/names.hpp"

namespace stranger {
namespace {

/// Asks nobody: the server's port is one where nobody answers.
ResolverOptions offline(const std::string& hosts_file = "") {
  return {.servers = {"127.0.0.1:1"},
          .timeout = 60s,
          .tries = 1,
          .search = std::vector<std::string>{},
          .hosts_file = hosts_file,
          .resolv_conf = "/dev/null"};
}

TEST(NumericHosts, AreNeverLookedUp) {
  in_fiber([] {
    Resolver resolver(offline());
    EXPECT_EQ(texts(resolver.resolve("192.0.2.1", "80")), Texts{"192.0.2.1:80"});
    EXPECT_EQ(texts(resolver.resolve("2001:db8::1", "80")), Texts{"[2001:db8::1]:80"});
    EXPECT_EQ(texts(resolver.resolve("[2001:db8::1]", "http")), Texts{"[2001:db8::1]:80"});
    EXPECT_EQ(texts(resolver.resolve("fe80::1%lo", "80")), Texts{"[fe80::1%1]:80"});
    EXPECT_EQ(texts(resolver.resolve("fe80::1%7", "80")), Texts{"[fe80::1%7]:80"});
    EXPECT_EQ(resolver.counters().lookups, 0u);
  });
}

TEST(Names, ThatAreNoneAreInvalid) {
  in_fiber([] {
    Resolver resolver(offline());
    const std::string longest_label(63, 'a');
    const std::string long_name =
        longest_label + "." + longest_label + "." + longest_label + "." + std::string(61, 'b');
    for (const std::string& name : {std::string(""),
                                    std::string("."),
                                    std::string("a..b"),
                                    std::string(".a"),
                                    std::string("a b"),
                                    std::string("a\nb"),
                                    std::string("a\0b", 3),
                                    std::string("b\xc3\xbc"
                                                "cher.test"),
                                    std::string("-a.test"),
                                    std::string("a-.test"),
                                    std::string("127.1"),
                                    std::string("1.2.3.4.5"),
                                    std::string("0x7f.0x1"),
                                    std::string("127.0.0.01"),
                                    std::string("300.1.1.1"),
                                    std::string("::1%"),
                                    std::string("[::1"),
                                    std::string("[192.0.2.1]"),
                                    std::string("fe80::1%no-such-interface"),
                                    longest_label + "a.test",
                                    long_name + "b",
                                    std::string(100'000, 'a')})
      EXPECT_EQ(resolver.resolve(name, "80").error(), Errc::invalid_address) << name.substr(0, 80);
    EXPECT_EQ(resolver.counters().lookups, 0u);
    EXPECT_EQ(resolver.resolve(long_name, "80").error().category(), weft::net::name_error_category());
    EXPECT_EQ(resolver.counters().lookups, 1u);
  });
}

TEST(Services, AreNumbersOrNames) {
  in_fiber([] {
    Resolver resolver(offline());
    EXPECT_EQ(texts(resolver.resolve("192.0.2.1", "0")), Texts{"192.0.2.1:0"});
    EXPECT_EQ(texts(resolver.resolve("192.0.2.1", "65535")), Texts{"192.0.2.1:65535"});
    EXPECT_EQ(texts(resolver.resolve("192.0.2.1", "https")), Texts{"192.0.2.1:443"});
    EXPECT_EQ(texts(resolver.resolve("192.0.2.1", "")), Texts{"192.0.2.1:0"});
    EXPECT_EQ(resolver.resolve("192.0.2.1", "65536").error(), Errc::invalid_address);
    for (const std::string& service : {std::string("no-such-service"), std::string("-1"), std::string(" 80"),
                                       std::string("8\0", 2), std::string(5000, 's')})
      EXPECT_EQ(resolver.resolve("192.0.2.1", service).error(), NameErrc::unknown_service);
  });
}

TEST(HostsFile, AnswersFirstAndIsReadAgainWhenItChanges) {
  const TemporaryFile hosts(
      "# comment\n192.0.2.1\tone.test  Alias # one.test\n2001:db8::1 one.test\n\n nonsense one.test\n"
      "192.0.2.1 one.test\n192.0.2.9");
  in_fiber([&] {
    Resolver resolver(offline(hosts.path()));
    EXPECT_EQ(texts(resolver.resolve("one.test", "80")), (Texts{"192.0.2.1:80", "[2001:db8::1]:80"}));
    EXPECT_EQ(texts(resolver.resolve("ALIAS.", "80")), Texts{"192.0.2.1:80"});
    EXPECT_EQ(texts(resolver.resolve("one.test", "80", AddressFamily::kV6)), Texts{"[2001:db8::1]:80"});
    EXPECT_EQ(resolver.resolve("alias", "80", AddressFamily::kV6).error(), NameErrc::no_address);
    hosts.write("192.0.2.77 one.test\n");
    EXPECT_EQ(texts(resolver.resolve("one.test", "80")), Texts{"192.0.2.77:80"});
    EXPECT_EQ(resolver.counters().queries, 0u);
    EXPECT_EQ(resolver.counters().hosts_hits, 5u);
  });
}

TEST(Localhost, IsTheLoopbackAddressWhateverDnsSays) {
  in_fiber([] {
    Resolver resolver(offline());
    EXPECT_EQ(texts(resolver.resolve("localhost", "80")), (Texts{"[::1]:80", "127.0.0.1:80"}));
    EXPECT_EQ(texts(resolver.resolve("a.LOCALHOST.", "80", AddressFamily::kV4)), Texts{"127.0.0.1:80"});
    EXPECT_EQ(resolver.counters().queries, 0u);
  });
}

TEST(SystemBackend, ResolvesLocalhostAndReportsErrors) {
  in_fiber([] {
    Resolver resolver({.backend = weft::net::ResolverBackend::kSystem});
    EXPECT_EQ(texts(resolver.resolve("localhost", "80", AddressFamily::kV4)), Texts{"127.0.0.1:80"});
    EXPECT_TRUE(resolver.resolve("localhost", "80"));
    // Which getaddrinfo() alone does not know: it is so for every such name without a hosts file.
    EXPECT_EQ(texts(resolver.resolve("a.localhost", "80")), (Texts{"[::1]:80", "127.0.0.1:80"}));
    EXPECT_FALSE(resolver.resolve("no-such-name.invalid", "80"));
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(resolver.resolve("localhost", "80").error(), Errc::cancelled);
  });
}

TEST(DefaultResolver, IsOneOfTheProcess) {
  in_fiber([] {
    EXPECT_EQ(&weft::net::default_resolver(), &weft::net::default_resolver());
    EXPECT_EQ(texts(weft::net::resolve("192.0.2.1", "80")), Texts{"192.0.2.1:80"});
    EXPECT_TRUE(weft::net::resolve("localhost", "80"));
  });
}

TEST(NameErrors, HaveTextsAndPortableMeanings) {
  EXPECT_STREQ(weft::net::name_error_category().name(), "weft.names");
  EXPECT_EQ(make_error_code(NameErrc::not_found), std::errc::address_not_available);
  EXPECT_EQ(make_error_code(NameErrc::no_reply), std::errc::timed_out);
  for (int value = 1; value <= 8; ++value)
    EXPECT_NE(make_error_code(static_cast<NameErrc>(value)).message(), "unknown error of names");
}

}  // namespace
}  // namespace stranger
