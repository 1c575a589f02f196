// SPDX-License-Identifier: Apache-2.0
// Whatever waits and returns a Result ends with its scope and with its fiber. Semaphore::acquire(), the
// wait() of wait groups, latches and condition variables, and join() once waited to the end, and kept what
// they got.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <mutex>
#include <ostream>
#include <thread>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::Result;

/// Something to wait for, that comes when it is told to.
struct Awaited {
  virtual ~Awaited() = default;
  virtual Result<void> wait() = 0;
  virtual Result<void> wait_until(Deadline deadline) = 0;
  virtual void wait_uncancellable() = 0;
  virtual void come() = 0;
};

struct Permit final : Awaited {
  Result<void> wait() override { return semaphore.acquire(); }
  Result<void> wait_until(Deadline deadline) override { return semaphore.acquire_until(deadline); }
  void wait_uncancellable() override { semaphore.acquire_uncancellable(); }
  void come() override { semaphore.release(); }
  weft::Semaphore semaphore{0};
};

struct Group final : Awaited {
  Result<void> wait() override { return group.wait(); }
  Result<void> wait_until(Deadline deadline) override { return group.wait_until(deadline); }
  void wait_uncancellable() override { group.wait_uncancellable(); }
  void come() override { group.done(); }
  weft::WaitGroup group{1};
};

struct Gate final : Awaited {
  Result<void> wait() override { return latch.wait(); }
  Result<void> wait_until(Deadline deadline) override { return latch.wait_until(deadline); }
  void wait_uncancellable() override { latch.wait_uncancellable(); }
  void come() override { latch.count_down(); }
  weft::Latch latch{1};
};

struct Change final : Awaited {
  Result<void> wait() override {
    std::unique_lock lock(mutex);
    const Result<void> waited = changed.wait(lock, [this] { return there; });
    EXPECT_TRUE(lock.owns_lock());
    return waited;
  }
  Result<void> wait_until(Deadline deadline) override {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, deadline, [this] { return there; });
  }
  void wait_uncancellable() override {
    std::unique_lock lock(mutex);
    changed.wait_uncancellable(lock, [this] { return there; });
  }
  void come() override {
    {
      const std::scoped_lock lock(mutex);
      there = true;
    }
    changed.notify_one();
  }
  weft::Mutex mutex;
  weft::ConditionVariable changed;
  bool there = false;
};

struct Notification final : Awaited {
  Result<void> wait() override {
    std::unique_lock lock(mutex);
    while (!there) {
      if (auto waited = changed.wait(lock); !waited) return waited;
    }
    return {};
  }
  Result<void> wait_until(Deadline deadline) override {
    std::unique_lock lock(mutex);
    while (!there) {
      if (auto waited = changed.wait_until(lock, deadline); !waited) return waited;
    }
    return {};
  }
  void wait_uncancellable() override {
    std::unique_lock lock(mutex);
    while (!there) changed.wait_uncancellable(lock);
  }
  void come() override {
    const std::scoped_lock lock(mutex);
    there = true;
    changed.notify_all();
  }
  weft::Mutex mutex;
  weft::ConditionVariable changed;
  bool there = false;
};

/// The end of a fiber. The handle is used by one at a time.
struct End final : Awaited {
  Result<void> wait() override { return checked(handle.join()); }
  Result<void> wait_until(Deadline deadline) override { return checked(handle.join_until(deadline)); }
  void wait_uncancellable() override { EXPECT_EQ(handle.join_uncancellable(), 42); }
  void come() override { latch.count_down(); }

  Result<void> checked(const Result<int>& joined) const {
    EXPECT_EQ(handle.joinable(), !joined.has_value());
    if (!joined) return joined.error();
    EXPECT_EQ(*joined, 42);
    return {};
  }

  weft::Latch latch{1};
  weft::JoinHandle<int> handle = weft::spawn([this] {
    latch.wait_uncancellable();
    return 42;
  });
};

struct IsolatedEnd final : Awaited {
  Result<void> wait() override { return context.join(); }
  Result<void> wait_until(Deadline deadline) override { return context.join_until(deadline); }
  void wait_uncancellable() override { context.join_uncancellable(); }
  void come() override { latch.count_down(); }

  weft::Latch latch{1};
  weft::IsolatedContext context{"isolated", [this] { latch.wait_uncancellable(); }};
};

template <class Kind>
class Waits : public testing::Test {};
using Kinds = testing::Types<Permit, Group, Gate, Change, Notification, End, IsolatedEnd>;
TYPED_TEST_SUITE(Waits, Kinds);

TYPED_TEST(Waits, EndWithTheDeadlineOfTheirScope) {
  stranger::in_fiber([] {
    TypeParam awaited;
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return awaited.wait(); }).error(), Errc::timed_out);
    awaited.come();
    EXPECT_TRUE(awaited.wait()) << "nothing was taken by the wait that timed out";
  });
}

TYPED_TEST(Waits, EndWithTheirOwnDeadline) {
  stranger::in_fiber([] {
    TypeParam awaited;
    EXPECT_EQ(awaited.wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_EQ(awaited.wait_until(Deadline::after(-1ms)).error(), Errc::timed_out);
    awaited.come();
    EXPECT_TRUE(awaited.wait_until(Deadline::after(1h)));
  });
}

TYPED_TEST(Waits, EndWithACancelOfTheirScope) {
  stranger::in_fiber([] {
    TypeParam awaited;
    {
      weft::CancelScope scope;
      auto canceller = weft::spawn([&] { scope.cancel(); });  // runs when the wait suspends
      EXPECT_EQ(awaited.wait().error(), Errc::cancelled);
      EXPECT_EQ(awaited.wait().error(), Errc::cancelled) << "sticky";
      canceller.join_uncancellable();
    }
    awaited.come();
    EXPECT_TRUE(awaited.wait());
  });
}

TYPED_TEST(Waits, EndWithACancelOfTheirFiber) {
  stranger::in_fiber([] {
    TypeParam awaited;
    auto waiter = weft::spawn([&] { return awaited.wait(); });
    weft::yield();
    waiter.cancel();
    EXPECT_EQ(waiter.join().error(), Errc::cancelled);
    auto late = weft::spawn([&] { return awaited.wait(); });
    late.cancel();  // before it has run
    EXPECT_EQ(late.join().error(), Errc::cancelled);
    awaited.come();
    EXPECT_TRUE(awaited.wait());
  });
}

TYPED_TEST(Waits, HaveWhatIsThereAlsoAfterACancel) {
  stranger::in_fiber([] {
    TypeParam awaited;
    awaited.come();
    weft::yield();  // a fiber that was to end has ended
    weft::CancelScope scope;
    scope.cancel();
    if constexpr (std::is_same_v<TypeParam, IsolatedEnd>) {
      EXPECT_TRUE(weft::shield([&] { return awaited.wait(); }));
    } else {
      EXPECT_TRUE(awaited.wait());
    }
  });
}

TYPED_TEST(Waits, WaitToTheEndIfTheyAreToldTo) {
  stranger::in_fiber([] {
    TypeParam awaited;
    bool came = false;
    weft::CancelScope scope(Deadline::after(-1s));
    auto other = weft::spawn([&] {
      for (int i = 0; i < 3; ++i) weft::yield();
      came = true;
      awaited.come();
    });
    awaited.wait_uncancellable();
    EXPECT_TRUE(came);
    other.join_uncancellable();
  });
}

TYPED_TEST(Waits, EndInAScopeOfAPlainThreadToo) {
  stranger::in_fiber([] {
    TypeParam awaited;
    auto blocked = [&] {
      EXPECT_EQ(weft::with_timeout(1ms, [&] { return awaited.wait(); }).error(), Errc::timed_out);
      EXPECT_EQ(awaited.wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
    };
    std::thread(blocked).join();
    weft::Latch ended(1);
    awaited.come();
    std::thread thread([&] {
      EXPECT_TRUE(awaited.wait());
      ended.count_down();
    });
    EXPECT_TRUE(ended.wait());  // fibers go on meanwhile
    thread.join();
  });
}

// A handle is used by one at a time; all else has any number of waiters.
template <class Kind>
class SharedWaits : public testing::Test {};
using SharedKinds = testing::Types<Permit, Group, Gate, Change, Notification>;
TYPED_TEST_SUITE(SharedWaits, SharedKinds);

TYPED_TEST(SharedWaits, GiveWhatComesToThoseThatStayed) {
  stranger::in_fiber([] {
    TypeParam awaited;
    auto first = weft::spawn([&] { return awaited.wait(); });
    auto second = weft::spawn([&] { return awaited.wait(); });
    weft::yield();
    first.cancel();
    EXPECT_EQ(first.join().error(), Errc::cancelled);
    awaited.come();
    EXPECT_TRUE(second.join());
  });
}

}  // namespace
