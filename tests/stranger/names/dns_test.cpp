// SPDX-License-Identifier: Apache-2.0
// What a resolver answers, by a name server of the test's.
#include "stranger/names/names.hpp"

namespace stranger {
namespace {

DnsZone dns_zone() {
  return {{"both.test", {.v4 = {"192.0.2.1", "192.0.2.2"}, .v6 = {"2001:db8::1"}}},
          {"four.test", {.v4 = {"192.0.2.4"}}},
          {"six.test", {.v6 = {"2001:db8::6"}}},
          {"none.test", {}},
          {"alias.test", {.alias = "second.test"}},
          {"second.test", {.alias = "third.test"}},
          {"third.test", {.v4 = {"192.0.2.3"}}},
          {"loop.test", {.alias = "pool.test"}},
          {"pool.test", {.alias = "loop.test"}},
          {"fails.test", {.rcode = 2}},
          {"refuses.test", {.rcode = 5}},
          {"formerr.test", {.rcode = 1}},
          {"silent.test", {.drop = true}},
          {"long.test", {.v4 = {"192.0.2.5"}, .truncate = true}},
          {"wrong-id.test", {.v4 = {"192.0.2.6"}, .mistake = DnsMistake::kWrongId}},
          {"wrong-question.test", {.v4 = {"192.0.2.7"}, .mistake = DnsMistake::kWrongQuestion}},
          {"name-loop.test", {.v4 = {"192.0.2.8"}, .mistake = DnsMistake::kCompressionLoop}},
          {"cut.test", {.v4 = {"192.0.2.9"}, .mistake = DnsMistake::kCut}},
          {"noise.test", {.v4 = {"192.0.2.10"}, .mistake = DnsMistake::kNoise}},
          {"empty.test", {.v4 = {"192.0.2.11"}, .mistake = DnsMistake::kEmpty}},
          {"host.search.test", {.v4 = {"192.0.2.12"}}}};
}

class Dns : public testing::Test {
 protected:
  DnsServer server_{dns_zone()};
};

TEST_F(Dns, GivesTheAddressesWithThePort) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("four.test", "80")), Texts{"192.0.2.4:80"});
    EXPECT_EQ(texts(resolver.resolve("six.test", "https")), Texts{"[2001:db8::6]:443"});
    EXPECT_EQ(texts(resolver.resolve("FOUR.Test.", "")), Texts{"192.0.2.4:0"});
    Texts both = texts(resolver.resolve("both.test", "65535"));
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, (Texts{"192.0.2.1:65535", "192.0.2.2:65535", "[2001:db8::1]:65535"}));
  });
  EXPECT_GT(server_.with_edns(), 0u);
}

TEST_F(Dns, GivesTheAddressesOfOneFamilyWhenAsked) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("both.test", "1", AddressFamily::kV6)), Texts{"[2001:db8::1]:1"});
    EXPECT_EQ(resolver.resolve("both.test", "1", AddressFamily::kV4).value().size(), 2u);
    EXPECT_EQ(resolver.resolve("four.test", "1", AddressFamily::kV6).error(), NameErrc::no_address);
    EXPECT_EQ(resolver.resolve("192.0.2.1", "1", AddressFamily::kV6).error(), NameErrc::no_address);
  });
}

TEST_F(Dns, FollowsAliases) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("alias.test", "80")), Texts{"192.0.2.3:80"});
  });
}

TEST_F(Dns, EachErrorHasItsOwnCodeAndNamesTheHost) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    const auto error = [&](const char* name) { return resolver.resolve(name, "80").error(); };
    EXPECT_EQ(error("missing.test"), NameErrc::not_found);
    EXPECT_EQ(error("none.test"), NameErrc::no_address);
    EXPECT_EQ(error("loop.test"), NameErrc::no_address);
    EXPECT_EQ(error("fails.test"), NameErrc::server_failure);
    EXPECT_EQ(error("refuses.test"), NameErrc::refused);
    EXPECT_EQ(error("formerr.test"), NameErrc::malformed_reply);
    EXPECT_EQ(resolver.resolve("missing.test", "80").message(),
              "resolving missing.test: there is no such name");
    EXPECT_EQ(resolver.resolve("four.test", "nonsense").message(),
              "looking up the service nonsense: there is no such service");
    EXPECT_EQ(resolver.resolve("four.test", "nonsense").error(), NameErrc::unknown_service);
  });
}

TEST_F(Dns, MalformedRepliesAreErrors) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    for (const char* const name : {"name-loop.test", "cut.test", "noise.test"})
      EXPECT_EQ(resolver.resolve(name, "80", AddressFamily::kV4).error(), NameErrc::malformed_reply) << name;
    // Its reply about IPv6 is cut inside of the question, so it may be of another one.
    EXPECT_EQ(resolver.resolve("cut.test", "80", AddressFamily::kV6, 50ms).error(), Errc::timed_out);
    // Like an error of the socket: the query ends, or its deadline comes.
    EXPECT_FALSE(resolver.resolve("empty.test", "80", AddressFamily::kV4, 50ms));
    EXPECT_EQ(texts(resolver.resolve("four.test", "80")), Texts{"192.0.2.4:80"});
  });
}

TEST_F(Dns, RepliesToOtherQuestionsAreLeftOut) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("wrong-id.test", "1")), Texts{"192.0.2.6:1"});
    EXPECT_EQ(texts(resolver.resolve("wrong-question.test", "1")), Texts{"192.0.2.7:1"});
  });
}

TEST_F(Dns, TruncatedRepliesAreAskedForOverTcp) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("long.test", "1")), Texts{"192.0.2.5:1"});
  });
  EXPECT_GT(server_.over_tcp(), 0u);
}

TEST_F(Dns, ThousandsOfAddressesComeOverTcp) {
  DnsRecord record{.truncate = true};
  for (int i = 0; i < 3000; ++i)
    record.v4.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  server_.set("huge.test", record);
  in_fiber([&] {
    Resolver resolver(asking(server_));
    const auto addresses = resolver.resolve("huge.test", "1", AddressFamily::kV4).value();
    std::vector<std::string> found;
    for (const SocketAddress& each : addresses) found.push_back(each.ip().to_string());
    std::sort(found.begin(), found.end());
    std::sort(record.v4.begin(), record.v4.end());
    EXPECT_EQ(found, record.v4);
  });
}

TEST_F(Dns, ASilentServerIsNoReplyAfterTheTries) {
  in_fiber([&] {
    ResolverOptions options = asking(server_);
    options.timeout = 20ms;
    options.tries = 3;
    Resolver resolver(options);
    EXPECT_EQ(resolver.resolve("silent.test", "1", AddressFamily::kV4).error(), NameErrc::no_reply);
    EXPECT_EQ(resolver.resolve("silent.test", "1").error(), std::errc::timed_out);
  });
  EXPECT_GE(server_.questions("silent.test"), 3u);
}

TEST_F(Dns, TheDeadlineAndTheDeadlineOfAScopeEndALookup) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(resolver.resolve("silent.test", "1", 10ms).error(), Errc::timed_out);
    weft::CancelScope scope(10ms);
    EXPECT_EQ(resolver.resolve("silent.test", "1").error(), Errc::timed_out);
    EXPECT_EQ(resolver.resolve("silent.test", "1").message(), "resolving silent.test: deadline passed");
  });
}

TEST_F(Dns, ACancelledLookupDisturbsNoOther) {
  server_.set("held.test", {.v4 = {"192.0.2.20"}, .hold = true});
  in_fiber([&] {
    Resolver resolver(asking(server_));
    auto silent = weft::spawn([&] { return resolver.resolve("silent.test", "1"); });
    auto held = weft::spawn([&] { return resolver.resolve("held.test", "1"); });
    until([&] { return server_.questions("silent.test") > 0 && server_.questions("held.test") == 2; });
    EXPECT_EQ(texts(resolver.resolve("four.test", "1")), Texts{"192.0.2.4:1"});
    silent.cancel();
    EXPECT_EQ(silent.join().error(), Errc::cancelled);
    server_.release("held.test");
    EXPECT_EQ(texts(held.join()), Texts{"192.0.2.20:1"});
  });
}

TEST_F(Dns, NothingIsLeftOpen) {
  in_fiber([&] {
    const std::size_t before = open_files();
    {
      Resolver resolver(asking(server_));
      for (const char* const name : {"four.test", "long.test", "missing.test", "noise.test"})
        static_cast<void>(resolver.resolve(name, "1"));
      static_cast<void>(resolver.resolve("silent.test", "1", 1ms));
    }
    EXPECT_LE(open_files(), before);
  });
}

TEST_F(Dns, SearchDomainsAreTried) {
  in_fiber([&] {
    ResolverOptions options = asking(server_);
    options.search = {"other.test", "search.test"};
    Resolver resolver(options);
    EXPECT_EQ(texts(resolver.resolve("host", "1")), Texts{"192.0.2.12:1"});
    EXPECT_EQ(resolver.resolve("host.", "1").error(), NameErrc::not_found);
  });
}

TEST_F(Dns, AServerThatDiedAndCameBackIsAskedAgain) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(texts(resolver.resolve("four.test", "1")), Texts{"192.0.2.4:1"});
    server_.stop();
    EXPECT_EQ(resolver.resolve("four.test", "1").error(), NameErrc::refused);
    server_.start();
    EXPECT_EQ(texts(resolver.resolve("four.test", "1")), Texts{"192.0.2.4:1"});
  });
}

TEST_F(Dns, TheSecondServerIsAskedIfTheFirstFails) {
  DnsServer failing({{"four.test", {.rcode = 2}}});
  in_fiber([&] {
    ResolverOptions options = asking(server_);
    options.servers = {failing.address(), server_.address()};
    Resolver resolver(options);
    EXPECT_EQ(texts(resolver.resolve("four.test", "1", AddressFamily::kV4)), Texts{"192.0.2.4:1"});
  });
}

TEST_F(Dns, ServersThatAreNoAddressesAreABadConfiguration) {
  in_fiber([&] {
    ResolverOptions options = asking(server_);
    options.servers = {"nonsense"};
    Resolver resolver(options);
    EXPECT_EQ(resolver.resolve("four.test", "1").error(), NameErrc::bad_configuration);
  });
}

}  // namespace
}  // namespace stranger
