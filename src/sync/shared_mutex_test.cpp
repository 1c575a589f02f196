// SPDX-License-Identifier: Apache-2.0
#include <weft/shared_mutex.hpp>

#include "base/atomic.hpp"
#include "fiber/baton.hpp"
#include "support/sleeper.hpp"

#include <weft/latch.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_suspended;

class SharedMutexTest : public test::WaitingInEveryContext {
 protected:
  /// A writer or reader that waits, and logs its letter when it holds the lock.
  auto waiting_writer(char letter) {
    return spawn_suspended(context(), [this, letter] {
      const std::scoped_lock lock(mutex);
      log(letter);
    });
  }
  auto waiting_reader(char letter) {
    return spawn_suspended(context(), [this, letter] {
      const std::shared_lock lock(mutex);
      log(letter);
    });
  }
  void log(char letter) {
    const std::scoped_lock lock(log_mutex_);
    log_ += letter;
  }
  std::string logged() {
    const std::scoped_lock lock(log_mutex_);
    return log_;
  }

  SharedMutex mutex;

 private:
  std::mutex log_mutex_;
  std::string log_;
};
WEFT_UNDER_EVERY_CONTEXT(SharedMutexTest);

TEST_P(SharedMutexTest, ManyReadersHoldItAtATime) {
  run([&] {
    constexpr int kReaders = 5;
    Latch inside(kReaders);  // opens only if all of them hold it at once
    std::vector<JoinHandle<void>> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.push_back(context().spawn([&] {
        const std::shared_lock lock(mutex);
        inside.arrive_and_wait_uncancellable();
      }));
    }
    for (auto& reader : readers) reader.join_uncancellable();
  });
}

TEST_P(SharedMutexTest, AWriterExcludesEverybody) {
  run([&] {
    mutex.lock();
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock_shared());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_TRUE(mutex.try_lock_shared());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock_shared();
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock_shared();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST_P(SharedMutexTest, ReadersThatComeWhileAWriterWaitsQueueBehindIt) {
  run([&] {
    mutex.lock_shared();
    auto writer = waiting_writer('w');
    EXPECT_FALSE(mutex.try_lock_shared());
    auto reader = waiting_reader('r');
    EXPECT_EQ(logged(), "");
    mutex.unlock_shared();
    writer.join_uncancellable();
    reader.join_uncancellable();
    EXPECT_EQ(logged(), "wr");
  });
}

TEST_P(SharedMutexTest, WaitingReadersGoBeforeTheNextWriter) {
  run([&] {
    mutex.lock();
    auto next_writer = waiting_writer('w');
    auto one = waiting_reader('r');
    auto two = waiting_reader('r');
    mutex.unlock();
    next_writer.join_uncancellable();
    one.join_uncancellable();
    two.join_uncancellable();
    EXPECT_EQ(logged(), "rrw");
  });
}

TEST_P(SharedMutexTest, WritersGetItInTheirOrder) {
  run([&] {
    mutex.lock();
    std::vector<JoinHandle<void>> writers;
    for (char letter = 'a'; letter < 'e'; ++letter) writers.push_back(waiting_writer(letter));
    mutex.unlock();
    for (auto& writer : writers) writer.join_uncancellable();
    EXPECT_EQ(logged(), "abcd");
  });
}

// shared-mutex.md, "the writer that gives up".
TEST_P(SharedMutexTest, AWriterThatGivesUpLetsTheReadersBehindItJoinTheHolders) {
  run([&] {
    mutex.lock_shared();
    auto writer = spawn_suspended(context(), [&] { return mutex.lock_until(Deadline::never()); });
    auto reader = waiting_reader('r');
    writer.cancel();
    EXPECT_EQ(writer.join_uncancellable().error(), Errc::cancelled);
    reader.join_uncancellable();  // although this reader still holds it
    EXPECT_EQ(logged(), "r");
    mutex.unlock_shared();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST_P(SharedMutexTest, AWriterThatGivesUpBeforeAnotherLeavesTheReadersBehindTheOther) {
  run([&] {
    mutex.lock_shared();
    auto first = spawn_suspended(context(), [&] { return mutex.lock_until(Deadline::never()); });
    auto second = waiting_writer('w');
    auto reader = waiting_reader('r');
    first.cancel();
    EXPECT_EQ(first.join_uncancellable().error(), Errc::cancelled);
    EXPECT_FALSE(mutex.try_lock_shared());
    mutex.unlock_shared();
    second.join_uncancellable();
    reader.join_uncancellable();
    EXPECT_EQ(logged(), "wr");
  });
}

TEST_P(SharedMutexTest, BothTwinsGiveUpAtTheDeadline) {
  run([&] {
    mutex.lock();
    EXPECT_EQ(mutex.lock_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_EQ(mutex.lock_shared_until(Deadline::after(1ms)).error(), Errc::timed_out);
    mutex.unlock();
    EXPECT_TRUE(mutex.lock_shared_until(Deadline::after(-1s)));
    EXPECT_EQ(mutex.lock_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_TRUE(mutex.try_lock_shared());
    mutex.unlock_shared();
    mutex.unlock_shared();
    EXPECT_TRUE(mutex.lock_until(Deadline::after(-1s)));
    mutex.unlock();
  });
}

TEST_P(SharedMutexTest, AReaderThatGivesUpIsNotCounted) {
  run([&] {
    mutex.lock();
    auto reader = spawn_suspended(context(), [&] { return mutex.lock_shared_until(Deadline::never()); });
    reader.cancel();
    EXPECT_EQ(reader.join_uncancellable().error(), Errc::cancelled);
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST_P(SharedMutexTest, LocksAreNotCancellable) {
  run([&] {
    mutex.lock();
    auto writer = waiting_writer('w');
    auto reader = waiting_reader('r');
    writer.cancel();
    reader.cancel();
    yield();
    EXPECT_EQ(logged(), "");
    mutex.unlock();
    writer.join_uncancellable();
    reader.join_uncancellable();
    EXPECT_EQ(logged(), "rw");
  });
}

/// What readers and writers do to a value that is torn while it is written.
struct Shared {
  SharedMutex mutex;
  std::array<long, 4> value{};
  Atomic<long> reads{0};

  void work(int seed, int rounds, bool fiber) {
    for (int i = 0; i < rounds; ++i) {
      if ((seed + i) % 4 == 0) {
        const std::scoped_lock lock(mutex);
        for (long& part : value) {
          ++part;
          if (fiber && i % 16 == 0) yield();
        }
      } else {
        const std::shared_lock lock(mutex);
        if (fiber && i % 16 == 1) yield();
        EXPECT_EQ(value.front(), value.back());
        reads.fetch_add(1, relaxed);
      }
    }
  }
};

TEST_P(SharedMutexTest, ReadersNeverSeeAHalfWrittenValue) {
  constexpr int kRounds = 400;
  Shared shared;
  ConcurrentContext other("other");
  std::vector<JoinHandle<void>> fibers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    fibers.push_back(context().spawn([&, i] { shared.work(i, kRounds, true); }));
    fibers.push_back(other.spawn([&, i] { shared.work(i, kRounds, true); }));
    threads.emplace_back([&, i] { shared.work(i, kRounds, false); });
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(shared.value.front(), 12 * kRounds / 4);
  EXPECT_EQ(shared.reads, 12 * kRounds * 3 / 4);
}

TEST_P(SharedMutexTest, TimeoutsAndCancelsOfBothKindsLoseNothing) {
  constexpr int kRounds = 150;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < 8; ++i) {
    fibers.push_back(context().spawn([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        const Deadline deadline = Deadline::after_ns((i * 37 + round) % 40 * 1000);
        if (i % 2 == 0) {
          if (!mutex.lock_until(deadline)) continue;
          if (round % 4 == 0) yield();
          mutex.unlock();
        } else {
          if (!mutex.lock_shared_until(deadline)) continue;
          if (round % 4 == 0) yield();
          mutex.unlock_shared();
        }
      }
    }));
  }
  fibers[2].cancel();
  fibers[3].cancel();
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(SharedMutexDeathTest, UnlockingWhatIsNotHeldThatWayIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto misuse = [](bool as_reader, void (SharedMutex::*unlock)()) {
    SharedMutex mutex;
    if (as_reader) mutex.lock_shared();
    (mutex.*unlock)();
  };
  EXPECT_DEATH(misuse(false, &SharedMutex::unlock), "BUG: unlock.. of a shared mutex that no writer holds");
  EXPECT_DEATH(misuse(true, &SharedMutex::unlock), "BUG: unlock.. of a shared mutex that no writer holds");
  EXPECT_DEATH(misuse(false, &SharedMutex::unlock_shared),
               "BUG: unlock_shared.. of a shared mutex that no reader");
  const auto writer_as_reader = [] {
    SharedMutex mutex;
    mutex.lock();
    mutex.unlock_shared();
  };
  EXPECT_DEATH(writer_as_reader(), "BUG: unlock_shared.. of a shared mutex that no reader");
}

}  // namespace
}  // namespace weft
