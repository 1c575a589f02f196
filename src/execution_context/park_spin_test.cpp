// SPDX-License-Identifier: Apache-2.0
#include "execution_context/park_spin.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "sys/thread.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kPatienceNs = 60'000'000'000;

TEST(ParkSpinTest, AThreadThatIsUnparkedAllTheTimeTriesToSpin) {
  Parker parker;
  ParkSpin spin;
  Atomic<bool> ends{false};
  std::thread waker([&] {
    while (!ends.load(relaxed)) {
      std::this_thread::sleep_for(20us);
      parker.unpark();
    }
  });
  const std::int64_t end = monotonic_ns() + kPatienceNs;
  while (spin.spins() == 0 && monotonic_ns() < end) spin.park(parker, sys::thread_id());
  EXPECT_GT(spin.spins(), 0u);
  ends.store(true, relaxed);
  waker.join();
}

TEST(ParkSpinTest, AThreadThatIsUnparkedNowAndThenDoesNot) {
  Parker parker;
  ParkSpin spin;
  for (int i = 0; i < 3; ++i) {
    std::thread waker([&] {
      std::this_thread::sleep_for(30ms);
      parker.unpark();
    });
    spin.park(parker, sys::thread_id());
    waker.join();
  }
  EXPECT_EQ(spin.spins(), 0u);
}

}  // namespace
}  // namespace weft
