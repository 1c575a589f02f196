// SPDX-License-Identifier: Apache-2.0
// How often broadcast and watch channels, limiters and tickers allocate, as their headers say. The sanitizers
// bring an operator new of their own: there nothing is counted.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

#if COUNTS_ALLOCATIONS

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

/// How many allocations of this thread `body` makes. Nothing else runs there.
template <class Body>
std::size_t allocations_of(Body body) {
  const std::size_t before = allocations;
  body();
  return allocations - before;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// Those of the standard library do not always come to the ones above: with clang and LTO they call their own.
void* operator new[](std::size_t size) { return counted(size); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace std::chrono_literals;

TEST(Allocations, OfABroadcastAreOneForAValue) {
  stranger::in_fiber([] {
    std::optional<weft::BroadcastChannel<int>> channel;
    EXPECT_EQ(allocations_of([&] { channel.emplace(4); }), 2u);
    std::optional<weft::BroadcastSubscriber<int>> one, two;
    EXPECT_EQ(allocations_of([&] {
                one.emplace(channel->subscribe());
                two.emplace(channel->subscribe());
              }),
              0u);
    EXPECT_EQ(allocations_of([&] {
                for (int i = 0; i < 4; ++i) EXPECT_TRUE(channel->send(i));
              }),
              4u);
    EXPECT_EQ(allocations_of([&] {
                for (int i = 0; i < 4; ++i) EXPECT_EQ(**one->receive(), i);
                for (int i = 0; i < 4; ++i) EXPECT_EQ(**two->receive(), i);
                EXPECT_EQ(one->try_receive().error(), weft::Errc::would_block);
                EXPECT_EQ(one->receive_until(1us).error(), weft::Errc::timed_out);
                weft::select(weft::receive(*one, [](auto) {}), weft::after(1us, [] {}));
              }),
              0u);
    auto shared = std::make_shared<const int>(5);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(channel->send_shared(shared)); }), 0u);
    EXPECT_EQ(allocations_of([&] {
                two.reset();
                channel->close();
                channel.reset();
                EXPECT_EQ(**one->receive(), 5);
                one.reset();
              }),
              0u);
  });
}

TEST(Allocations, OfAWatchAreOneForAValue) {
  stranger::in_fiber([] {
    weft::WatchChannel<int> channel(0);
    EXPECT_EQ(allocations_of([&] {
                for (int i = 1; i <= 10; ++i) EXPECT_TRUE(channel.send(i));
              }),
              10u);
    EXPECT_EQ(allocations_of([&] {
                auto receiver = channel.subscribe();
                EXPECT_EQ(*receiver.get(), 10);
                EXPECT_EQ(receiver.try_changed().error(), weft::Errc::would_block);
                EXPECT_EQ(receiver.changed_until(1us).error(), weft::Errc::timed_out);
                auto moved = std::move(receiver);
                EXPECT_FALSE(moved.has_changed());
                weft::select(weft::changed(moved, [](auto) {}), weft::otherwise([] {}));
              }),
              0u);
    EXPECT_EQ(allocations_of([&] { EXPECT_TRUE(channel.update([](int value) { return value + 1; })); }), 1u);
  });
}

TEST(Allocations, OfWaitsForTheClockAreNone) {
  stranger::in_fiber([] {
    weft::RateLimiter limiter(100'000, 1);
    EXPECT_EQ(allocations_of([&] {
                weft::Ticker ticker(10us);
                for (int i = 0; i < 5; ++i) EXPECT_TRUE(ticker.tick());
                weft::select(weft::tick(ticker, [] {}));
                for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.acquire());
                EXPECT_FALSE(limiter.try_acquire(2));
              }),
              0u);
  });
}

}  // namespace

#endif
