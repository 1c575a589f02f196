// SPDX-License-Identifier: Apache-2.0
// The explorer itself: what C++ allows is found, what it forbids is not. Names of the litmus tests as in the
// literature.
#include "base/spin_lock.hpp"
#include "model/model.hpp"

#include <mutex>
#include <new>

namespace weft {
namespace {

using model::FailureKind;

TEST(Litmus, AMissingReleaseIsFound) {
  model::expect_fails(FailureKind::kCheck, [] {
    Atomic<int> data{0}, flag{0};
    model::run({{"writer",
                 [&] {
                   data.store(1, relaxed);
                   flag.store(1, relaxed);
                 }},
                {"reader", [&] {
                   if (flag.load(acquire) == 1) model::check(data.load(relaxed) == 1, "the data is seen");
                 }}});
  });
}

TEST(Litmus, AMissingAcquireIsFound) {
  model::expect_fails(FailureKind::kCheck, [] {
    Atomic<int> data{0}, flag{0};
    model::run({{"writer",
                 [&] {
                   data.store(1, relaxed);
                   flag.store(1, release);
                 }},
                {"reader", [&] {
                   if (flag.load(relaxed) == 1) model::check(data.load(relaxed) == 1, "the data is seen");
                 }}});
  });
}

TEST(Litmus, ReleaseAndAcquirePassAMessage) {
  model::expect_holds([] {
    Atomic<int> data{0}, flag{0};
    model::run({{"writer",
                 [&] {
                   data.store(1, relaxed);
                   flag.store(1, release);
                 }},
                {"reader", [&] {
                   if (flag.load(acquire) == 1) model::check(data.load(relaxed) == 1, "the data is seen");
                 }}});
  });
}

TEST(Litmus, AReleaseSequenceGoesOnThroughARelaxedReadModifyWrite) {
  model::expect_holds([] {
    Atomic<int> data{0}, flag{0};
    model::run({{"writer",
                 [&] {
                   data.store(1, relaxed);
                   flag.store(1, release);
                 }},
                {"between", [&] { flag.fetch_add(2, relaxed); }},
                {"reader", [&] {
                   if (flag.load(acquire) == 3) model::check(data.load(relaxed) == 1, "the data is seen");
                 }}});
  });
}

void store_buffering(std::memory_order store_order, std::memory_order load_order, bool fences) {
  Atomic<int> x{0}, y{0};
  int a = 0, b = 0;
  model::name(x, "x");
  model::name(y, "y");
  model::run({{"a",
               [&] {
                 x.store(1, store_order);
                 if (fences) full_fence();
                 a = y.load(load_order);
               }},
              {"b", [&] {
                 y.store(1, store_order);
                 if (fences) full_fence();
                 b = x.load(load_order);
               }}});
  model::check(a == 1 || b == 1, "one of them sees the other");
}

TEST(Litmus, StoreBufferingIsFoundWithReleaseAndAcquire) {
  model::expect_fails(FailureKind::kCheck, [] { store_buffering(release, acquire, false); });
}
TEST(Litmus, StoreBufferingIsFoundIfOnlyTheStoresAreSequentiallyConsistent) {
  model::expect_fails(FailureKind::kCheck, [] { store_buffering(seq_cst, acquire, false); });
}
TEST(Litmus, SequentialConsistencyForbidsStoreBuffering) {
  model::expect_holds([] { store_buffering(seq_cst, seq_cst, false); });
}
TEST(Litmus, FencesForbidStoreBuffering) {
  model::expect_holds([] { store_buffering(relaxed, relaxed, true); });
}

TEST(Litmus, OneFenceDoesNotForbidStoreBuffering) {
  model::expect_fails(FailureKind::kCheck, [] {
    Atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    model::run({{"a",
                 [&] {
                   x.store(1, relaxed);
                   full_fence();
                   a = y.load(relaxed);
                 }},
                {"b", [&] {
                   y.store(1, relaxed);
                   b = x.load(relaxed);
                 }}});
    model::check(a == 1 || b == 1, "one of them sees the other");
  });
}

TEST(Litmus, AFenceOnOneSideAndSequentialConsistencyOnTheOtherForbidStoreBuffering) {
  model::expect_holds([] {
    Atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    model::run({{"a",
                 [&] {
                   x.store(1, seq_cst);
                   a = y.load(seq_cst);
                 }},
                {"b", [&] {
                   y.store(1, relaxed);
                   full_fence();
                   b = x.load(relaxed);
                 }}});
    model::check(a == 1 || b == 1, "one of them sees the other");
  });
}

TEST(Litmus, TwoReadersMayDisagreeAboutIndependentWrites) {
  const auto iriw = [](std::memory_order order) {
    Atomic<int> x{0}, y{0};
    int a = 0, b = 0, c = 0, d = 0;
    model::run({{"x", [&] { x.store(1, order); }},
                {"y", [&] { y.store(1, order); }},
                {"ab",
                 [&] {
                   a = x.load(order == seq_cst ? seq_cst : acquire);
                   b = y.load(order == seq_cst ? seq_cst : acquire);
                 }},
                {"cd", [&] {
                   c = y.load(order == seq_cst ? seq_cst : acquire);
                   d = x.load(order == seq_cst ? seq_cst : acquire);
                 }}});
    model::check(!(a == 1 && b == 0 && c == 1 && d == 0), "the readers agree");
  };
  model::expect_fails(FailureKind::kCheck, [&] { iriw(release); });
  model::expect_holds([&] { iriw(seq_cst); });
}

TEST(Litmus, OneLocationIsNeverReadBackwards) {
  model::expect_holds([] {
    Atomic<int> x{0};
    model::run({{"writer",
                 [&] {
                   x.store(1, relaxed);
                   x.store(2, relaxed);
                 }},
                {"reader", [&] {
                   const int first = x.load(relaxed);
                   model::check(x.load(relaxed) >= first, "the order of the stores");
                 }}});
  });
}

TEST(Litmus, AReadModifyWriteReadsTheNewestValue) {
  model::expect_holds([] {
    Atomic<int> x{0};
    model::run({{"a", [&] { x.fetch_add(1, relaxed); }},
                {"b", [&] { x.fetch_add(1, relaxed); }},
                {"c", [&] { x.fetch_add(1, relaxed); }}});
    model::check(x.load(relaxed) == 3, "nothing is lost");
  });
}

TEST(Litmus, ALoadAndAStoreLoseAnIncrement) {
  model::expect_fails(FailureKind::kCheck, [] {
    Atomic<int> x{0};
    const auto increment = [&] { x.store(x.load(seq_cst) + 1, seq_cst); };
    model::run({{"a", increment}, {"b", increment}});
    model::check(x.load(relaxed) == 2, "nothing is lost");
  });
}

TEST(Litmus, APlainFieldThatIsPublishedWithoutReleaseIsADataRace) {
  const auto publish = [](std::memory_order order) {
    model::Plain<int> data(0);
    Atomic<bool> flag{false};
    model::run({{"writer",
                 [&] {
                   data = 1;
                   flag.store(true, order);
                 }},
                {"reader", [&] {
                   if (flag.load(acquire)) model::check(data == 1, "the data is seen");
                 }}});
  };
  model::expect_fails(FailureKind::kDataRace, [&] { publish(relaxed); });
  model::expect_holds([&] { publish(release); });
}

TEST(Litmus, APlainWriteAfterThePublicationIsADataRace) {
  model::expect_fails(FailureKind::kDataRace, [] {
    model::Plain<int> data(0);
    Atomic<bool> flag{false};
    model::run({{"writer",
                 [&] {
                   flag.store(true, release);
                   data = 1;
                 }},
                {"reader", [&] {
                   if (flag.load(acquire)) model::check(data >= 0, "no matter");
                 }}});
  });
}

TEST(Litmus, AThreadThatSpinsGoesOnWhenTheValueCame) {
  model::expect_holds([] {
    Atomic<int> x{0};
    model::run({{"spinner",
                 [&] {
                   while (x.load(acquire) != 2) cpu_relax();
                 }},
                {"writer", [&] {
                   x.store(1, release);
                   x.store(2, release);
                 }}});
  });
}

TEST(Litmus, AThreadThatSpinsForEverIsADeadlock) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    Atomic<int> x{0};
    model::run({{"spinner",
                 [&] {
                   while (x.load(acquire) != 2) cpu_relax();
                 }},
                {"writer", [&] { x.store(1, release); }}});
  });
}

TEST(Litmus, ALoopThatNeverEndsIsALivelock) {
  model::Options options;
  options.limits.steps_max = 200;
  model::expect_fails(options, FailureKind::kLivelock, [] {
    Atomic<int> x{0};
    model::run({{"loop", [&] {
                   while (x.load(acquire) != 1) {}
                 }}});
  });
}

TEST(Litmus, LocksInOppositeOrderAreADeadlock) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    SpinLock a, b;
    model::run({{"ab",
                 [&] {
                   std::scoped_lock first(a);
                   std::scoped_lock second(b);
                 }},
                {"ba", [&] {
                   std::scoped_lock first(b);
                   std::scoped_lock second(a);
                 }}});
  });
}

TEST(Litmus, ALockGuardsAPlainField) {
  model::expect_holds([] {
    SpinLock lock;
    model::Plain<int> count(0);
    const auto increment = [&] {
      std::scoped_lock locked(lock);
      count = count + 1;
    };
    model::run({{"a", increment}, {"b", increment}, {"c", increment}});
    model::check(count == 3, "nothing is lost");
  });
}

TEST(Litmus, AnAtomicThatIsUsedAfterItsEndIsFound) {
  model::expect_fails(FailureKind::kLifetime, [] {
    alignas(Atomic<int>) std::byte storage[sizeof(Atomic<int>)];
    auto* const x = new (storage) Atomic<int>(0);
    Atomic<int> done{0};
    model::run({{"owner",
                 [&] {
                   while (done.load(acquire) == 0) cpu_relax();
                   x->~Atomic();
                 }},
                {"user", [&] {
                   done.store(1, release);
                   x->store(1, relaxed);
                 }}});
  });
}

}  // namespace
}  // namespace weft
