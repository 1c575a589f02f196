// SPDX-License-Identifier: Apache-2.0
// A cancel storm over what fibers tell each other with: channels, selects, locks, conditions, permits,
// groups. Each program is run again and again, and cancelled at its k-th moment, for every k until it gets
// through. Whatever the moment: it ends, no fiber, lock or permit is left behind, and every value has one
// place: it was received, is still inside, or its sender has kept it.
#include "base/atomic.hpp"
#include "support/any_context.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/condition_variable.hpp>
#include <weft/mutex.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>
#include <weft/wait_group.hpp>

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>

namespace weft {
namespace {

/// A value that is seen when it is lost or there twice.
class Parcel {
 public:
  Parcel() { alive.fetch_add(1, relaxed); }
  Parcel(const Parcel&) = delete;
  Parcel& operator=(const Parcel&) = delete;
  ~Parcel() { alive.fetch_sub(1, relaxed); }
  static inline Atomic<int> alive{0};
};

using ParcelPointer = std::unique_ptr<Parcel>;
using Pipe = Channel<ParcelPointer>;

/// The steps of a program, one of which ends it.
class Steps {
 public:
  Steps(std::stop_source& stop, int before_stop) : stop_(stop), left_(before_stop) { current_.store(this); }
  ~Steps() { current_.store(nullptr); }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  /// Called before each operation, and where something is held.
  static void step() {
    Steps* const steps = current_.load();
    if (steps != nullptr && steps->left_.fetch_sub(1) == 0) steps->stop_.request_stop();
  }

 private:
  static inline Atomic<Steps*> current_{nullptr};
  std::stop_source& stop_;
  Atomic<int> left_;
};

/// Where the values of one run are.
struct Ledger {
  Atomic<int> made{0};
  Atomic<int> received{0};
  Atomic<int> kept{0};

  /// After everybody has ended.
  void expect_balanced(std::initializer_list<Pipe*> pipes) {
    int inside = 0;
    for (Pipe* const pipe : pipes) {
      while (pipe->try_receive()) ++inside;
    }
    EXPECT_EQ(made.load(), received.load() + kept.load() + inside);
  }
};

Result<void> put(Pipe& pipe, Ledger& ledger, ParcelPointer value) {
  Steps::step();
  Result<void> sent = pipe.send(std::move(value));
  EXPECT_EQ(sent.has_value(), value == nullptr) << "a send that fails keeps its value";
  if (!sent) ledger.kept.fetch_add(1, relaxed);
  return sent;
}

Result<void> produce(Pipe& pipe, Ledger& ledger, int count) {
  for (int i = 0; i < count; ++i) {
    ledger.made.fetch_add(1, relaxed);
    if (auto sent = put(pipe, ledger, std::make_unique<Parcel>()); !sent) return sent;
  }
  return {};
}

/// Success when the channel is closed and drained.
Result<void> end_of(std::error_code error) { return error == Errc::closed ? Result<void>() : error; }

Result<void> relay(Pipe& from, Pipe& to, Ledger& ledger) {
  for (;;) {
    Steps::step();
    auto value = from.receive();
    if (!value) {
      if (value.error() == Errc::closed) to.close();
      return end_of(value.error());
    }
    EXPECT_NE(*value, nullptr);
    if (auto sent = put(to, ledger, *std::move(value)); !sent) return sent;
  }
}

Result<void> collect(Pipe& pipe, Ledger& ledger) {
  for (;;) {
    Steps::step();
    auto value = pipe.receive();
    if (!value) return end_of(value.error());
    EXPECT_NE(*value, nullptr);
    ledger.received.fetch_add(1, relaxed);
  }
}

// -- channels -----------------------------------------------------------------------------------------------

Result<void> pipeline() {
  Ledger ledger;
  Pipe first(0), second(1), third(2);
  Result<void> result;
  {
    TaskGroup<void> group;
    group.spawn([&]() -> Result<void> {
      if (auto done = produce(first, ledger, 4); !done) return done;
      first.close();
      return {};
    });
    group.spawn([&] { return relay(first, second, ledger); });
    group.spawn([&] { return relay(second, third, ledger); });
    group.spawn([&] { return collect(third, ledger); });
    result = group.wait();
  }
  ledger.expect_balanced({&first, &second, &third});
  return result;
}

/// `producers` and `consumers` at one channel; the last of the producers closes it.
Result<void> fan(std::size_t capacity, int producers, int consumers) {
  Ledger ledger;
  Pipe pipe(capacity);
  Atomic<int> producing{producers};
  Result<void> result;
  {
    TaskGroup<void> group;
    for (int i = 0; i < producers; ++i) {
      group.spawn([&]() -> Result<void> {
        if (auto done = produce(pipe, ledger, 2); !done) return done;
        if (producing.fetch_sub(1, acq_rel) == 1) pipe.close();
        return {};
      });
    }
    for (int i = 0; i < consumers; ++i) group.spawn([&] { return collect(pipe, ledger); });
    result = group.wait();
  }
  ledger.expect_balanced({&pipe});
  return result;
}

Result<void> fan_in() { return fan(0, 3, 1); }
Result<void> fan_out() { return fan(1, 1, 3); }

// -- select

Result<void> collect_from_two(Pipe& a, Pipe& b, Ledger& ledger) {
  for (bool open = true; open;) {
    const auto take = [&](Result<ParcelPointer> value) {
      if (!value) return void(open = false);
      EXPECT_NE(*value, nullptr);
      ledger.received.fetch_add(1, relaxed);
    };
    Steps::step();
    if (const Selected selected = select(receive(a, take), receive(b, take)); !selected)
      return selected.error();
  }
  return {};
}

Result<void> produce_to_two(Pipe& a, Pipe& b, Ledger& ledger, int count) {
  for (int i = 0; i < count; ++i) {
    ParcelPointer value = std::make_unique<Parcel>();
    ledger.made.fetch_add(1, relaxed);
    Steps::step();
    const Selected selected = select(send(a, std::move(value), [] {}), send(b, std::move(value), [] {}));
    EXPECT_EQ(static_cast<bool>(selected), value == nullptr) << "a select that fails keeps its value";
    if (selected) continue;
    ledger.kept.fetch_add(1, relaxed);
    return end_of(selected.error());
  }
  return {};
}

Result<void> selects() {
  Ledger ledger;
  Pipe a(0), b(1);
  Atomic<int> producing{2};
  Result<void> result;
  {
    TaskGroup<void> group;
    for (int i = 0; i < 2; ++i) {
      group.spawn([&]() -> Result<void> {
        if (auto done = produce_to_two(a, b, ledger, 3); !done) return done;
        if (producing.fetch_sub(1, acq_rel) != 1) return {};
        a.close();
        b.close();
        return {};
      });
      group.spawn([&] { return collect_from_two(a, b, ledger); });
    }
    result = group.wait();
  }
  ledger.expect_balanced({&a, &b});
  return result;
}

// -- locks, conditions, permits -----------------------------------------------------------------------------

/// A queue of one place under a mutex.
struct Place {
  Mutex mutex;
  ConditionVariable changed;
  ParcelPointer value;
  bool over = false;

  Result<void> put(ParcelPointer& from) {
    Steps::step();
    if (auto locked = mutex.lock_until(Deadline::never()); !locked) return locked;
    std::unique_lock lock(mutex, std::adopt_lock);
    Steps::step();
    if (auto room = changed.wait_until(lock, Deadline::never(), [&] { return value == nullptr; }); !room)
      return room;
    value = std::move(from);
    changed.notify_all();
    return {};
  }
  /// Null when it is over.
  Result<ParcelPointer> take() {
    Steps::step();
    if (auto locked = mutex.lock_until(Deadline::never()); !locked) return locked.error();
    std::unique_lock lock(mutex, std::adopt_lock);
    Steps::step();
    const auto there = [&] { return value != nullptr || over; };
    if (auto waited = changed.wait_until(lock, Deadline::never(), there); !waited) return waited.error();
    changed.notify_all();
    return std::exchange(value, nullptr);
  }
  void end() {
    const std::scoped_lock lock(mutex);
    over = true;
    changed.notify_all();
  }
};

Result<void> conditions() {
  Place place;
  int given = 0;
  Atomic<int> taken{0};
  Result<void> result;
  {
    TaskGroup<void> group;
    group.spawn([&]() -> Result<void> {
      for (int i = 0; i < 4; ++i) {
        ParcelPointer value = std::make_unique<Parcel>();
        if (auto put = place.put(value); !put) {
          EXPECT_NE(value, nullptr);
          return put;
        }
        ++given;
      }
      place.end();
      return {};
    });
    for (int i = 0; i < 2; ++i) {
      group.spawn([&]() -> Result<void> {
        for (;;) {
          auto value = place.take();
          if (!value) return value.error();
          if (*value == nullptr) return {};
          taken.fetch_add(1, relaxed);
        }
      });
    }
    result = group.wait();
  }
  EXPECT_TRUE(place.mutex.try_lock()) << "no lock is left behind";
  EXPECT_EQ(given, taken.load() + (place.value != nullptr ? 1 : 0));
  place.mutex.unlock();
  return result;
}

Result<void> permits() {
  constexpr int kPermits = 2;
  Semaphore semaphore(kPermits);
  Atomic<int> inside{0};
  Result<void> result;
  {
    TaskGroup<void> group;
    for (int i = 0; i < 5; ++i) {
      group.spawn([&]() -> Result<void> {
        for (int round = 0; round < 3; ++round) {
          Steps::step();
          if (auto acquired = semaphore.acquire_until(Deadline::never()); !acquired) return acquired;
          EXPECT_LE(inside.fetch_add(1) + 1, kPermits);
          Steps::step();
          yield();
          inside.fetch_sub(1);
          semaphore.release();
        }
        return {};
      });
    }
    result = group.wait();
  }
  EXPECT_EQ(semaphore.available(), static_cast<std::size_t>(kPermits));
  return result;
}

Result<void> readers_and_writers() {
  SharedMutex mutex;
  std::array<int, 2> value{};
  Result<void> result;
  {
    TaskGroup<void> group;
    for (int i = 0; i < 2; ++i) {
      group.spawn([&]() -> Result<void> {
        for (int round = 0; round < 3; ++round) {
          Steps::step();
          if (auto locked = mutex.lock_until(Deadline::never()); !locked) return locked;
          ++value[0];
          Steps::step();
          yield();
          ++value[1];
          mutex.unlock();
        }
        return {};
      });
      group.spawn([&]() -> Result<void> {
        for (int round = 0; round < 3; ++round) {
          Steps::step();
          if (auto locked = mutex.lock_shared_until(Deadline::never()); !locked) return locked;
          Steps::step();
          EXPECT_EQ(value[0], value[1]);
          yield();
          mutex.unlock_shared();
        }
        return {};
      });
    }
    result = group.wait();
  }
  EXPECT_TRUE(mutex.try_lock()) << "no lock is left behind";
  mutex.unlock();
  return result;
}

// -- groups

/// Workers in a group take jobs from a channel and give a count; a wait group tells when they have begun.
Result<void> workers_with_results() {
  Ledger ledger;
  Pipe jobs(1);
  WaitGroup begun(3);
  Result<void> result;
  {
    TaskGroup<int> workers;
    for (int i = 0; i < 3; ++i) {
      workers.spawn([&]() -> Result<int> {
        Steps::step();
        begun.done();
        if (auto all = begun.wait_until(Deadline::never()); !all) return all.error();
        const int before = ledger.received.load();
        if (auto done = collect(jobs, ledger); !done) return done.error();
        return ledger.received.load() - before;
      });
    }
    result = produce(jobs, ledger, 5);
    if (result) jobs.close();
    if (!result) workers.cancel();
    while (auto count = workers.next()) {
      if (!*count && result) result = count->error();
    }
  }
  ledger.expect_balanced({&jobs});
  return result;
}

// -- the storm

/// kStep: by one of the program's own fibers, before one of its operations or while it holds something.
enum class StormSource { kScope, kFiber, kStep };

using SyncProgram = Result<void> (*)();
using StormParameters = std::tuple<std::pair<const char*, SyncProgram>, StormSource, test::AnyContextKind>;

class SyncStorm : public testing::TestWithParam<StormParameters> {
 protected:
  /// False if it got through. A moment is a step of the program, or a yield beside the program: in one thread
  /// everything else runs to its next wait then.
  bool cancel_at(int k) {
    const auto [named, source, kind] = GetParam();
    test::AnyContext context(kind);
    const Result<void> result =
        context.spawn([&, program = named.second, by = source] { return run(program, by, k); })
            .join_uncancellable();
    detail::Access::core(context).close();
    detail::Access::core(context).wait_until_drained();
    EXPECT_EQ(context.counters().fibers_spawned, context.counters().fibers_finished);
    EXPECT_EQ(Parcel::alive.load(), 0) << "at " << k;
    if (!result) {
      EXPECT_EQ(result.error(), Errc::cancelled) << "at " << k;
    }
    return !result;
  }

 private:
  static Result<void> run(SyncProgram program, StormSource source, int k) {
    std::stop_source stop;
    std::optional<Steps> steps;
    if (source == StormSource::kStep) steps.emplace(stop, k);
    auto fiber = spawn([&] {
      CancelScope scope(stop.get_token());
      return program();
    });
    if (source == StormSource::kStep) return fiber.join_uncancellable();
    for (int i = 0; i < k && !fiber.done(); ++i) yield();
    source == StormSource::kFiber ? fiber.cancel() : void(stop.request_stop());
    return fiber.join_uncancellable();
  }
};

std::string sync_storm_name(const testing::TestParamInfo<StormParameters>& info) {
  const auto [named, source, kind] = info.param;
  constexpr const char* kSources[] = {"ByScopeIn", "ByFiberIn", "ByStepIn"};
  return std::string(named.first) + kSources[static_cast<int>(source)] + test::name_of(kind);
}

INSTANTIATE_TEST_SUITE_P(
    , SyncStorm,
    testing::Combine(testing::Values(std::pair("Pipeline", &pipeline), std::pair("FanIn", &fan_in),
                                     std::pair("FanOut", &fan_out), std::pair("Selects", &selects),
                                     std::pair("Conditions", &conditions), std::pair("Permits", &permits),
                                     std::pair("ReadersAndWriters", &readers_and_writers),
                                     std::pair("WorkersWithResults", &workers_with_results)),
                     testing::Values(StormSource::kScope, StormSource::kFiber, StormSource::kStep),
                     testing::Values(test::AnyContextKind::kConcurrent, test::AnyContextKind::kParallel2)),
    sync_storm_name);

// With two threads it may get through early by chance: it has to do so several times in a row. And a moment
// may be too short for a step: how far the program comes in it is the machine's affair, so many moments are
// enough. Left alone it gets through.
TEST_P(SyncStorm, EveryMomentEndsItCleanly) {
  constexpr int kMomentsMax = 1'000;
  const bool moments_are_steps =
      std::get<StormSource>(GetParam()) == StormSource::kStep ||
      std::get<test::AnyContextKind>(GetParam()) == test::AnyContextKind::kConcurrent;
  int cancelled = 0;
  for (int k = 0, through = 0; through < 5 && !HasFailure(); ++k) {
    if (k == kMomentsMax) {
      ASSERT_FALSE(moments_are_steps) << "it never gets through";
      break;
    }
    const bool was_cancelled = cancel_at(k);
    cancelled += was_cancelled;
    through = was_cancelled ? 0 : through + 1;
  }
  EXPECT_GT(cancelled, std::get<StormSource>(GetParam()) == StormSource::kStep ? 5 : 0);
  EXPECT_FALSE(cancel_at(std::numeric_limits<int>::max())) << "nobody cancels it";
}

}  // namespace
}  // namespace weft
