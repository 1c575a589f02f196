// SPDX-License-Identifier: Apache-2.0
// The shipping spin lock, over the explorer's atomics: it is what substitute_lock/base/spin_lock.hpp takes it
// for.
#include "base/spin_lock.hpp"

#include "model/model.hpp"

#include <mutex>

namespace weft {
namespace {

using model::FailureKind;

template <class Lock>
void three_increments() {
  Lock lock;
  model::name(lock, "lock");
  model::Plain<int> count(0);
  const auto increment = [&] {
    std::scoped_lock locked(lock);
    count = count + 1;
  };
  model::run({{"a", increment}, {"b", increment}, {"c", increment}});
  model::check(count == 3, "nothing is lost");
}

TEST(ModelSpinLock, GuardsAPlainField) { model::expect_holds(three_increments<SpinLock>); }

TEST(ModelSpinLock, TryLockGuardsIt) {
  model::expect_holds([] {
    SpinLock lock;
    model::Plain<int> count(0);
    int taken = 0;
    const auto try_increment = [&] {
      if (!lock.try_lock()) return;
      count = count + 1;
      lock.unlock();
      ++taken;
    };
    model::run({{"a", try_increment}, {"b", try_increment}, {"c", try_increment}});
    model::check(count == taken && taken >= 1, "one gets it, and each that got it counts");
  });
}

template <std::memory_order kLock, std::memory_order kUnlock>
class WeakLock {
 public:
  void lock() noexcept {
    while (locked_.exchange(1, kLock) != 0) cpu_relax();
  }
  void unlock() noexcept { locked_.store(0, kUnlock); }

 private:
  Atomic<std::uint8_t> locked_{0};
};

TEST(ModelSpinLock, PlantedAnUnlockWithoutReleaseIsFound) {
  model::expect_fails(FailureKind::kDataRace, three_increments<WeakLock<acquire, relaxed>>);
}
TEST(ModelSpinLock, PlantedALockWithoutAcquireIsFound) {
  model::expect_fails(FailureKind::kDataRace, three_increments<WeakLock<relaxed, release>>);
}

}  // namespace
}  // namespace weft
