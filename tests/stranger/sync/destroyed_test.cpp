// SPDX-License-Identifier: Apache-2.0
// Objects that are destroyed while somebody waits for them, and, in builds that check it, used afterwards.
// The waiters stayed in a chain that nobody had any more, or spun for ever.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <mutex>
#include <new>

namespace {

/// Destroys what a fiber waits for.
template <class Object, class Wait>
void destroy_awaited(std::unique_ptr<Object> object, Wait wait) {
  weft::run([&] {
    weft::spawn([&] { wait(*object); });
    weft::yield();
    object.reset();
  });
}

TEST(DestroyedDeathTest, WhileSomebodyWaits) {
  const char* const kWords = "destroyed while somebody waits";
  EXPECT_DEATH(
      destroy_awaited(std::make_unique<weft::Semaphore>(0),
                      [](auto& semaphore) { (void)semaphore.acquire_until(weft::Deadline::never()); }),
      kWords);
  EXPECT_DEATH(destroy_awaited(std::make_unique<weft::Latch>(1),
                               [](auto& latch) { (void)latch.wait_until(weft::Deadline::never()); }),
               kWords);
  EXPECT_DEATH(destroy_awaited(std::make_unique<weft::WaitGroup>(1),
                               [](auto& group) { (void)group.wait_until(weft::Deadline::never()); }),
               kWords);
  EXPECT_DEATH(destroy_awaited(std::make_unique<weft::ConditionVariable>(),
                               [](auto& condition) {
                                 weft::Mutex mutex;
                                 std::unique_lock lock(mutex);
                                 (void)condition.wait_until(lock, weft::Deadline::never());
                               }),
               kWords);
  EXPECT_DEATH(
      destroy_awaited(std::make_unique<weft::Channel<int>>(), [](auto& channel) { (void)channel.receive(); }),
      kWords);
}

TEST(DestroyedDeathTest, ALockThatSomebodyWaitsFor) {
  EXPECT_DEATH(weft::run([] {
                 auto mutex = std::make_unique<weft::Mutex>();
                 mutex->lock();
                 weft::spawn([&] { mutex->lock(); });
                 weft::yield();
                 mutex.reset();
               }),
               "destroyed while");
  EXPECT_DEATH(weft::run([] {
                 auto mutex = std::make_unique<weft::SharedMutex>();
                 mutex->lock_shared();
                 weft::spawn([&] { mutex->lock(); });
                 weft::yield();
                 mutex.reset();
               }),
               "destroyed while");
}

TEST(Destroyed, AfterTheWaitIsOver) {
  stranger::in_fiber(
      [] {
        for (int i = 0; i < 100; ++i) {
          auto latch = std::make_unique<weft::Latch>(1);
          auto semaphore = std::make_unique<weft::Semaphore>(0);
          weft::spawn([&] { latch->count_down(); });
          EXPECT_TRUE(latch->wait_until(weft::Deadline::never()));
          latch.reset();
          weft::spawn([&] { semaphore->release(); });
          EXPECT_TRUE(semaphore->acquire_until(weft::Deadline::never()));
          semaphore.reset();
        }
      },
      2);
}

#if WEFT_CHECK_LOCKS

/// Makes an object, destroys it, and uses what is left.
template <class Object, class Use, class... Arguments>
void use_destroyed(Use use, Arguments... arguments) {
  alignas(Object) static std::byte storage[sizeof(Object)];
  auto* const object = new (storage) Object(arguments...);
  object->~Object();
  weft::run([&] { use(*object); });
}

TEST(DestroyedDeathTest, AndThenUsed) {
  const char* const kWords = "used after it was destroyed";
  const auto never = weft::Deadline::never();
  using Mutex = weft::Mutex;
  EXPECT_DEATH(use_destroyed<Mutex>([](Mutex& mutex) { mutex.lock(); }),
               "used after it was destroyed(.|\n)*destroyed_test.cpp:");  // a backtrace
  EXPECT_DEATH(use_destroyed<Mutex>([](Mutex& mutex) { (void)mutex.try_lock(); }), kWords);
  using Shared = weft::SharedMutex;
  EXPECT_DEATH(use_destroyed<Shared>([](Shared& mutex) { mutex.lock(); }), kWords);
  EXPECT_DEATH(use_destroyed<Shared>([](Shared& mutex) { mutex.unlock(); }), kWords);
  EXPECT_DEATH(use_destroyed<Shared>([](Shared& mutex) { mutex.lock_shared(); }), kWords);
  EXPECT_DEATH(use_destroyed<Shared>([](Shared& mutex) { mutex.unlock_shared(); }), kWords);
  using Semaphore = weft::Semaphore;
  EXPECT_DEATH(use_destroyed<Semaphore>([&](Semaphore& one) { (void)one.acquire_until(never); }, 1U), kWords);
  EXPECT_DEATH(use_destroyed<Semaphore>([](Semaphore& one) { (void)one.try_acquire(); }, 1U), kWords);
  EXPECT_DEATH(use_destroyed<Semaphore>([](Semaphore& one) { one.release(); }, 1U), kWords);
  using Latch = weft::Latch;
  EXPECT_DEATH(use_destroyed<Latch>([](Latch& latch) { latch.count_down(); }, 0), kWords);
  EXPECT_DEATH(use_destroyed<Latch>([&](Latch& latch) { (void)latch.wait_until(never); }, 0), kWords);
  using WaitGroup = weft::WaitGroup;
  EXPECT_DEATH(use_destroyed<WaitGroup>([](WaitGroup& group) { group.add(); }, 0), kWords);
  EXPECT_DEATH(use_destroyed<WaitGroup>([&](WaitGroup& group) { (void)group.wait_until(never); }, 0), kWords);
  using Condition = weft::ConditionVariable;
  EXPECT_DEATH(use_destroyed<Condition>([](Condition& condition) { condition.notify_one(); }), kWords);
  EXPECT_DEATH(use_destroyed<Condition>([](Condition& condition) { condition.notify_all(); }), kWords);
  using Channel = weft::Channel<int>;
  EXPECT_DEATH(use_destroyed<Channel>([](Channel& channel) { (void)channel.receive(); }), kWords);
  EXPECT_DEATH(use_destroyed<Channel>([](Channel& channel) { (void)channel.send(1); }), kWords);
  EXPECT_DEATH(use_destroyed<Channel>([](Channel& channel) { (void)channel.try_receive(); }), kWords);
  EXPECT_DEATH(use_destroyed<Channel>([](Channel& channel) { (void)channel.try_send(1); }), kWords);
  EXPECT_DEATH(use_destroyed<Channel>([](Channel& channel) { channel.close(); }), kWords);
  using Broadcast = weft::BroadcastChannel<int>;
  EXPECT_DEATH(use_destroyed<Broadcast>([](Broadcast& channel) { (void)channel.send(1); }, 1U), kWords);
  EXPECT_DEATH(use_destroyed<Broadcast>([](Broadcast& channel) { (void)channel.subscribe(); }, 1U), kWords);
  EXPECT_DEATH(use_destroyed<Broadcast>([](Broadcast& channel) { channel.close(); }, 1U), kWords);
  using Watch = weft::WatchChannel<int>;
  EXPECT_DEATH(use_destroyed<Watch>([](Watch& channel) { (void)channel.send(1); }, 1), kWords);
  EXPECT_DEATH(use_destroyed<Watch>([](Watch& channel) { (void)channel.get(); }, 1), kWords);
  using Limiter = weft::RateLimiter;
  EXPECT_DEATH(use_destroyed<Limiter>([](Limiter& limiter) { (void)limiter.acquire(); }, 1.0, 1U), kWords);
  EXPECT_DEATH(use_destroyed<Limiter>([](Limiter& limiter) { (void)limiter.try_acquire(); }, 1.0, 1U),
               kWords);
}

#endif

}  // namespace
