// SPDX-License-Identifier: Apache-2.0
#include "execution_context/idle/park_spin.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "sys/thread.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace weft {
namespace {

constexpr std::int64_t kPatienceNs = 60'000'000'000;

TEST(ParkSpinTest, AThreadThatIsWokenAllTheTimeTriesToSpin) {
  Parker parker, other;
  ParkSpin spin;
  Atomic<bool> ends{false};
  std::thread waker([&] {
    while (!ends.load(relaxed)) {
      other.park();
      parker.unpark();
    }
  });
  const std::int64_t end = monotonic_ns() + kPatienceNs;
  do {
    other.unpark();
    spin.park(parker, sys::thread_id());
  } while (spin.spins() == 0 && monotonic_ns() < end);
  EXPECT_GT(spin.spins(), 0u);
  ends.store(true, relaxed);
  other.unpark();
  waker.join();
}

}  // namespace
}  // namespace weft
