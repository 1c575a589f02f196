// SPDX-License-Identifier: Apache-2.0
// A write of a whole buffer whose time was over was reported as success by whatever collects results.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::net::TcpStream;

struct Pair {
  TcpStream a, b;
};

Pair connected() {
  auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  TcpStream a = TcpStream::connect(listener.local_address().value()).value();
  return {std::move(a), listener.accept().value()};
}

/// More than the kernel takes from a writer whose peer does not read.
const std::vector<std::byte>& large() {
  static const std::vector<std::byte> bytes(50'000'000);
  return bytes;
}

TEST(WholeBuffers, ThatTimeOutAreNoSuccess) {
  stranger::in_fiber([] {
    Pair pair = connected();
    const auto timed = weft::with_timeout(50ms, [&] { return pair.a.write_all(large()); });
    EXPECT_FALSE(timed);
    EXPECT_EQ(timed.error(), Errc::timed_out);
  });
}

TEST(WholeBuffers, OfAFiberAreWhatItsJoinSays) {
  stranger::in_fiber([] {
    Pair pair = connected();
    EXPECT_EQ(weft::spawn([&] { return pair.a.write_all("hello"); }).join().value(), 5u);
    const auto late = weft::spawn([&] { return pair.a.write_all_until(large(), 20ms); }).join();
    EXPECT_EQ(late.error(), Errc::timed_out);
  });
}

TEST(WholeBuffers, OfAGroupEndItWithTheirError) {
  stranger::in_fiber([] {
    Pair pair = connected();
    std::string text(5, '\0');
    const auto both =
        weft::all([&] { return pair.a.write_all("hello"); }, [&] { return pair.b.read_exact(text); });
    ASSERT_TRUE(both);
    EXPECT_EQ(std::get<0>(*both), 5u);
    EXPECT_EQ(std::get<1>(*both), 5u);
    EXPECT_EQ(text, "hello");
    const auto failed =
        weft::all([&] { return pair.a.write_all_until(large(), 20ms); }, [] { return weft::sleep(1h); });
    EXPECT_EQ(failed.error(), Errc::timed_out);
    weft::TaskGroup<std::size_t> group;
    group.spawn([&] { return pair.a.write_all_until(large(), 20ms); });
    EXPECT_EQ(group.wait().error(), Errc::timed_out);
    weft::TaskGroup<void> silent;
    silent.spawn([&] { return pair.a.write_all_until(large(), 20ms); });
    EXPECT_EQ(silent.wait().error(), Errc::timed_out);
  });
}

TEST(WholeBuffers, MayRaceWithATime) {
  stranger::in_fiber([] {
    Pair pair = connected();
    std::string text(3, 'x');
    const auto read = weft::with_deadline(20ms, [&] { return pair.b.read_exact(text); });
    EXPECT_EQ(read.error(), Errc::timed_out);
  });
}

}  // namespace
