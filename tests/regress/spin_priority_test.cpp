// SPDX-License-Identifier: Apache-2.0
// What was wrong: a thread that waited for a spin lock yielded its CPU at most. A SCHED_FIFO thread that
// waited for an ordinary one on the same CPU kept it from running until the kernel throttled real-time
// threads (8 s for a Channel::try_receive), and an ordinary thread did the same to a SCHED_IDLE one. Waiters
// sleep after a while.
#include "base/spin_lock.hpp"

#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <thread>
#include <gtest/gtest.h>

namespace weft {
namespace {

long sleeps_of_this_thread() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

bool set_class_of_this_thread(int policy) {
  const sched_param parameters{.sched_priority = policy == SCHED_FIFO ? 1 : 0};
  return pthread_setschedparam(pthread_self(), policy, &parameters) == 0;
}

void stay_on_one_cpu() {
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(sched_getcpu(), &own);
  ASSERT_EQ(sched_setaffinity(0, sizeof(own), &own), 0);
}

/// The waiter takes the lock, which this thread, of a class that the system's scheduler never prefers to it,
/// holds until the waiter waits: how often the waiter slept. -1: it may not have that class.
long sleeps_of_waiter(int waiter_class) {
  SpinLock lock;
  lock.lock();
  Atomic<bool> may_begin{false};
  Atomic<bool> refused{false};
  long sleeps = 0;
  std::thread waiter([&] {
    while (!may_begin.load(acquire)) std::this_thread::yield();
    if (!set_class_of_this_thread(waiter_class)) return refused.store(true, release);
    const long before = sleeps_of_this_thread();
    const std::scoped_lock hold(lock);  // from here on this thread has the CPU, until it sleeps
    sleeps = sleeps_of_this_thread() - before;
  });
  may_begin.store(true, release);
  // Each yield lets the waiter run; a SCHED_FIFO one keeps the CPU then, for as long as it does not sleep.
  for (int turn = 0; turn < 1000; ++turn) std::this_thread::yield();
  lock.unlock();
  waiter.join();
  return refused.load(acquire) ? -1 : sleeps;
}

TEST(SpinPriority, ARealTimeWaiterSleepsUntilAnOrdinaryHolderIsDone) {
  long sleeps = 0;
  std::thread([&] {
    stay_on_one_cpu();
    sleeps = sleeps_of_waiter(SCHED_FIFO);
  }).join();
  if (sleeps < 0) GTEST_SKIP() << "no right to SCHED_FIFO: did not run";
  EXPECT_GT(sleeps, 0);
}

}  // namespace
}  // namespace weft
