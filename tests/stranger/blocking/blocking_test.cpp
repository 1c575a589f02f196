// SPDX-License-Identifier: Apache-2.0
// Values, errors and exceptions of calls on a pool, as blocking.hpp and blocking_pool.hpp describe them.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;

TEST(Blocking, GivesTheValueBack) {
  in_fiber([] {
    EXPECT_EQ(weft::blocking([] { return 42; }).value(), 42);
    EXPECT_EQ(weft::blocking([] { return std::numeric_limits<long>::min(); }).value(),
              std::numeric_limits<long>::min());
    EXPECT_EQ(weft::blocking([] { return std::string(100'000, 'x'); }).value(), std::string(100'000, 'x'));
    EXPECT_EQ(weft::blocking([] { return std::vector<int>{}; }).value(), std::vector<int>{});
    EXPECT_TRUE(weft::blocking([] {}));
  });
}

TEST(Blocking, GivesAResultBackAsItIs) {
  in_fiber([] {
    const weft::Result<int> good = weft::blocking([]() -> weft::Result<int> { return 3; });
    EXPECT_EQ(good.value(), 3);
    const weft::Result<int> bad = weft::blocking([]() -> weft::Result<int> { return weft::Errc::closed; });
    EXPECT_EQ(bad.error(), weft::Errc::closed);
    const weft::Result<void> code =
        weft::blocking([] { return std::make_error_code(std::errc::no_such_file_or_directory); });
    EXPECT_EQ(code.error(), std::errc::no_such_file_or_directory);
  });
}

TEST(Blocking, ThrowsWhatTheFunctionThrows) {
  in_fiber([] {
    try {
      static_cast<void>(weft::blocking([]() -> int { throw std::out_of_range("seven"); }));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::out_of_range& thrown) {
      EXPECT_STREQ(thrown.what(), "seven");
    }
  });
}

TEST(Blocking, MovesWhatCanOnlyBeMoved) {
  in_fiber([] {
    auto made = weft::blocking([given = std::make_unique<int>(9)]() mutable { return std::move(given); });
    EXPECT_EQ(**made, 9);
  });
}

TEST(Blocking, OtherFibersOfTheThreadGoOnMeanwhile) {
  in_fiber([] {
    weft::Channel<int> channel(1);
    auto other = weft::spawn([&] { return channel.send(5); });
    // The call ends only if the other fiber of this one thread runs.
    EXPECT_EQ(weft::blocking([&] { return channel.receive(); }).value(), 5);
    EXPECT_TRUE(other.join());
  });
}

TEST(Blocking, RunsOnAThreadThatIsNoFiber) {
  in_fiber([] {
    EXPECT_TRUE(weft::this_fiber::exists());
    EXPECT_FALSE(weft::blocking([] { return weft::this_fiber::exists(); }).value());
    EXPECT_NE(weft::blocking([] { return std::this_thread::get_id(); }).value(), std::this_thread::get_id());
  });
}

TEST(Blocking, WorksOnAPlainThread) {
  EXPECT_EQ(weft::blocking([] { return 1; }).value(), 1);
  EXPECT_THROW(static_cast<void>(weft::blocking([]() -> int { throw 2; })), int);
  EXPECT_EQ(weft::blocking_until(weft::Deadline::at_ns(0), [] {}).error(), weft::Errc::timed_out);
}

TEST(Blocking, WorksInEveryKindOfContext) {
  in_fiber([] {
    weft::ParallelContext parallel("parallel", {.parallelism = 3});
    weft::ConcurrentContext concurrent("concurrent");
    int from_isolated = 0;
    weft::IsolatedContext isolated("isolated",
                                   [&] { from_isolated = weft::blocking([] { return 3; }).value(); });
    EXPECT_EQ(parallel.spawn([] { return weft::blocking([] { return 1; }); }).join().value(), 1);
    EXPECT_EQ(concurrent.spawn([] { return weft::blocking([] { return 2; }); }).join().value(), 2);
    isolated.join().value();
    EXPECT_EQ(from_isolated, 3);
  });
}

TEST(Blocking, InheritsScopedValues) {
  in_fiber([] {
    const weft::ScopedValue<std::string> user;
    const weft::ScopedBinding bound(user, "ada");
    EXPECT_EQ(weft::blocking([&] { return *user.get(); }).value(), "ada");
  });
}

TEST(Blocking, NamesItsThreads) {
  in_fiber([] {
    weft::BlockingPool pool("db");
    EXPECT_EQ(pool.name(), "db");
    char name[16] = {};
    pool.run([&] { ::pthread_getname_np(::pthread_self(), name, sizeof(name)); }).value();
    EXPECT_STREQ(name, "db-0");
  });
}

}  // namespace
