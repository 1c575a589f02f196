// SPDX-License-Identifier: Apache-2.0
// Many lookups at once, in several contexts, and lookups that end in the middle.
#include "stranger/names/names.hpp"

#include <atomic>

namespace stranger {
namespace {

std::string numbered(int i) { return "n" + std::to_string(i) + ".test"; }
std::string address_of(int i) { return "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250); }

DnsZone numbered_zone(int size) {
  DnsZone zone{{"silent.test", {.drop = true}}};
  for (int i = 0; i < size; ++i) zone[numbered(i)] = {.v4 = {address_of(i)}};
  return zone;
}

TEST(ManyLookups, TenThousandByAThousandFibersAllGetTheirOwnAnswer) {
  DnsServer server(numbered_zone(1000));
  const std::size_t before = open_files();
  in_fiber(
      [&] {
        ResolverOptions options = asking(server);
        options.queries_max = 200;  // what the server's buffer holds
        options.timeout = 1s;
        options.tries = 10;
        Resolver resolver(options);
        std::atomic<int> right{0};
        weft::TaskGroup<void> group;
        for (int fiber = 0; fiber < 1000; ++fiber) {
          group.spawn([&, fiber] {
            for (int i = 0; i < 10; ++i) {
              const int number = (fiber * 7 + i * 131) % 1000;
              const auto found = resolver.resolve(numbered(number), "9", AddressFamily::kV4);
              if (texts(found) == Texts{address_of(number) + ":9"}) ++right;
            }
          });
        }
        group.wait().value();
        EXPECT_EQ(right, 10'000);
      },
      2);
  EXPECT_LE(open_files(), before + 4);
}

TEST(ManyLookups, ThoseThatNeverEndDelayNoOther) {
  DnsServer server(numbered_zone(10));
  in_fiber([&] {
    Resolver resolver(asking(server));
    weft::TaskGroup<void> silent;
    for (int i = 0; i < 100; ++i)
      silent.spawn([&, i] {
        server.set("silent" + std::to_string(i), {.drop = true});
        static_cast<void>(resolver.resolve("silent" + std::to_string(i), "1"));
      });
    until([&] { return resolver.counters().queries == 100; });
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(texts(resolver.resolve(numbered(i), "1")).front(), address_of(i) + ":1");
    silent.cancel();
    static_cast<void>(silent.wait());
  });
}

TEST(ManyLookups, WaitForTheirTurnAndCanLeaveTheQueue) {
  DnsServer server(numbered_zone(3));
  in_fiber([&] {
    ResolverOptions options = asking(server);
    options.queries_max = 1;
    Resolver resolver(options);
    auto first = weft::spawn([&] { return resolver.resolve("silent.test", "1"); });
    until([&] { return server.questions("silent.test") > 0; });
    EXPECT_EQ(resolver.resolve(numbered(1), "1", 5ms).error(), Errc::timed_out);
    EXPECT_EQ(server.questions(numbered(1)), 0u);
    auto waiting = weft::spawn([&] { return texts(resolver.resolve(numbered(2), "1")); });
    first.cancel();
    EXPECT_EQ(first.join().error(), Errc::cancelled);
    EXPECT_EQ(waiting.join().value(), Texts{address_of(2) + ":1"});
  });
}

TEST(ManyLookups, CancelledAtAnyMomentLeaveNothingOpen) {
  DnsServer server(numbered_zone(5));
  in_fiber([&] {
    Resolver resolver(asking(server));
    static_cast<void>(resolver.resolve(numbered(0), "1"));
    const std::size_t before = open_files();
    for (int moment = 0; moment < 300; ++moment) {
      auto lookup = weft::spawn([&] { return resolver.resolve(numbered(moment % 5), "1"); });
      for (int i = 0; i < moment; ++i) weft::yield();
      lookup.cancel();
      const auto found = lookup.join();
      if (!found) {
        EXPECT_EQ(found.error(), Errc::cancelled);
      }
    }
    EXPECT_LE(open_files(), before);
  });
}

class LookupStrategies : public testing::TestWithParam<weft::EventLoopStrategy> {};

TEST_P(LookupStrategies, OneResolverServesSeveralContexts) {
  DnsServer server(numbered_zone(20));
  weft::ConcurrentContext one("one", {.strategy = GetParam()});
  weft::ParallelContext two("two", {.parallelism = 2, .strategy = GetParam()});
  Resolver resolver(asking(server));
  const auto work = [&] {
    int right = 0;
    for (int i = 0; i < 20; ++i) {
      if (texts(resolver.resolve(numbered(i), "1")) == Texts{address_of(i) + ":1"}) ++right;
    }
    return right;
  };
  std::vector<weft::JoinHandle<int>> fibers;
  for (int i = 0; i < 4; ++i) {
    fibers.push_back(one.spawn(work));
    fibers.push_back(two.spawn(work));
  }
  for (auto& fiber : fibers) EXPECT_EQ(fiber.join_uncancellable(), 20);
}

INSTANTIATE_TEST_SUITE_P(, LookupStrategies, testing::ValuesIn(weft::EventLoopStrategy::named()),
                         [](const auto& given) {
                           std::string name = given.param.to_string();
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace stranger
