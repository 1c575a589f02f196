// SPDX-License-Identifier: Apache-2.0
// What a resolver keeps, shares and reads again.
#include "stranger/names/names.hpp"

namespace stranger {
namespace {

DnsZone cache_zone() {
  return {{"kept.test", {.v4 = {"192.0.2.1"}, .ttl = 3600}},
          {"brief.test", {.v4 = {"192.0.2.2"}, .ttl = 0}},
          {"second.test", {.v4 = {"192.0.2.3"}, .ttl = 1}},
          {"alias.test", {.alias = "kept.test", .ttl = 0}},
          {"held.test", {.v4 = {"192.0.2.4"}, .hold = true}}};
}

class Kept : public testing::Test {
 protected:
  ResolverOptions caching(std::size_t size) const {
    ResolverOptions options = asking(server_);
    options.cache_size = size;
    return options;
  }
  static Texts one(Resolver& resolver, const char* name) {
    return texts(resolver.resolve(name, "1", AddressFamily::kV4));
  }

  DnsServer server_{cache_zone()};
};

TEST_F(Kept, NothingIsKeptUnlessAsked) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    EXPECT_EQ(one(resolver, "kept.test"), Texts{"192.0.2.1:1"});
    EXPECT_EQ(one(resolver, "kept.test"), Texts{"192.0.2.1:1"});
  });
  EXPECT_EQ(server_.questions("kept.test"), 2u);
}

TEST_F(Kept, AnswersAreKeptAsLongAsTheyMayBe) {
  in_fiber([&] {
    Resolver resolver(caching(10));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(one(resolver, "kept.test"), Texts{"192.0.2.1:1"});
    EXPECT_EQ(server_.questions("kept.test"), 1u);
    EXPECT_EQ(resolver.counters().cache_hits, 2u);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(one(resolver, "brief.test"), Texts{"192.0.2.2:1"});
    EXPECT_EQ(server_.questions("brief.test"), 3u);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(one(resolver, "alias.test"), Texts{"192.0.2.1:1"});
    EXPECT_EQ(server_.questions("alias.test"), 2u);
    until([&] { return one(resolver, "second.test").size() == 1 && server_.questions("second.test") > 1; });
    for (int i = 0; i < 2; ++i) EXPECT_EQ(resolver.resolve("no.test", "1").error(), NameErrc::not_found);
    EXPECT_GE(server_.questions("no.test"), 2u);
    resolver.clear_cache();
    EXPECT_EQ(one(resolver, "kept.test"), Texts{"192.0.2.1:1"});
    EXPECT_EQ(server_.questions("kept.test"), 2u);
  });
}

TEST_F(Kept, AFullCacheDropsWhatWouldExpireFirst) {
  for (int i = 0; i < 4; ++i)
    server_.set("n" + std::to_string(i) + ".test",
                {.v4 = {"192.0.2.1"}, .ttl = static_cast<std::uint32_t>(1000 * (i + 1))});
  in_fiber([&] {
    Resolver resolver(caching(2));
    for (const char* const name : {"n0.test", "n1.test", "n2.test", "n3.test", "n2.test"})
      one(resolver, name);
    EXPECT_EQ(server_.questions("n2.test"), 1u);
    one(resolver, "n0.test");
    EXPECT_EQ(server_.questions("n0.test"), 2u);
  });
}

TEST_F(Kept, EqualLookupsShareOneQuery) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    weft::TaskGroup<Texts> group;
    for (int i = 0; i < 50; ++i) group.spawn([&] { return one(resolver, "held.test"); });
    until([&] { return resolver.counters().lookups == 50 && server_.questions("held.test") == 1; });
    server_.release("held.test");
    const auto all = group.wait().value();
    EXPECT_EQ(all, std::vector<Texts>(50, Texts{"192.0.2.4:1"}));
    EXPECT_EQ(server_.questions("held.test"), 1u);
    EXPECT_EQ(resolver.counters().shared, 49u);
  });
}

TEST_F(Kept, OfEqualLookupsAnotherAsksIfTheFirstIsCancelled) {
  in_fiber([&] {
    Resolver resolver(asking(server_));
    auto first = weft::spawn([&] { return one(resolver, "held.test"); });
    until([&] { return server_.questions("held.test") == 1; });
    auto second = weft::spawn([&] { return one(resolver, "held.test"); });
    until([&] { return resolver.counters().lookups == 2; });
    first.cancel();
    EXPECT_EQ(first.join().value(), Texts{"resolving held.test: cancelled"});
    until([&] { return server_.questions("held.test") == 2; });
    server_.release("held.test");
    EXPECT_EQ(second.join().value(), Texts{"192.0.2.4:1"});
  });
}

TEST_F(Kept, ResolvConfIsReadAgainWhenItChanges) {
  const TemporaryFile conf("search first.test\n");
  server_.set("host.first.test", {.v4 = {"192.0.2.31"}});
  server_.set("host.other.test", {.v4 = {"192.0.2.32"}});
  in_fiber([&] {
    ResolverOptions options = asking(server_);
    options.resolv_conf = conf.path();
    options.search.reset();
    Resolver resolver(options);
    EXPECT_EQ(one(resolver, "host"), Texts{"192.0.2.31:1"});
    conf.write("search other.test\noptions ndots:1\n");
    EXPECT_EQ(one(resolver, "host"), Texts{"192.0.2.32:1"});
  });
}

}  // namespace
}  // namespace stranger
