// SPDX-License-Identifier: Apache-2.0
#include "sys/signal.hpp"

#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/thread.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

Atomic<int> signals_seen{0};
Atomic<const char*> handler_frame{nullptr};

void count_signal(int, siginfo_t*, void*) {
  const char here = 0;
  handler_frame.store(&here, relaxed);
  signals_seen.fetch_add(1, relaxed);
}

/// SIGUSR1 counts while a test runs.
class SignalTest : public testing::Test {
 protected:
  SignalTest() : previous_(set_signal_handler(SIGUSR1, count_signal).value()) { signals_seen.store(0); }
  ~SignalTest() override { set_signal_action(SIGUSR1, previous_).value(); }

  static void raise_here() { signal_thread(thread_id(), SIGUSR1).value(); }

 private:
  struct sigaction previous_;
};

bool is_blocked(int signal_number) {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return ::sigismember(&blocked, signal_number) == 1;
}

TEST_F(SignalTest, AHandlerIsInstalledAndPutBack) {
  raise_here();
  EXPECT_EQ(signals_seen.load(), 1);
  const struct sigaction mine = set_signal_handler(SIGUSR1, count_signal).value();
  EXPECT_EQ(mine.sa_sigaction, &count_signal);
  EXPECT_NE(mine.sa_flags & SA_ONSTACK, 0);
}

TEST_F(SignalTest, BlockedSignalsWaitForTheEndOfTheScope) {
  {
    const BlockedSignals blocked(signal_set({SIGUSR1}));
    raise_here();
    EXPECT_EQ(signals_seen.load(), 0);
  }
  EXPECT_EQ(signals_seen.load(), 1);
}

TEST_F(SignalTest, ScopesNest) {
  const BlockedSignals outer(signal_set({SIGUSR1}));
  {
    const BlockedSignals inner(all_signals());
    EXPECT_TRUE(is_blocked(SIGUSR2));
  }
  EXPECT_FALSE(is_blocked(SIGUSR2));
  EXPECT_TRUE(is_blocked(SIGUSR1)) << "what the outer scope blocked stays blocked";
}

TEST_F(SignalTest, AThreadInheritsTheMaskAndMayUnblock) {
  const BlockedSignals blocked(all_signals());
  std::thread([] {
    EXPECT_TRUE(is_blocked(SIGUSR1));
    unblock_signals(signal_set({SIGUSR1}));
    EXPECT_FALSE(is_blocked(SIGUSR1));
  }).join();
}

TEST_F(SignalTest, AnAlternateStackIsWhereTheHandlerRuns) {
  if (WEFT_TSAN) GTEST_SKIP() << "TSan puts signals off, and runs the handler on the stack it is on then";
  std::thread([] {
    const char here = 0;
    const AlternateStack stack = AlternateStack::install().value();
    raise_here();
    stack_t current{};
    ASSERT_EQ(::sigaltstack(nullptr, &current), 0);
    const char* const begin = static_cast<const char*>(current.ss_sp);
    const char* const frame = handler_frame.load();
    EXPECT_TRUE(begin <= frame && frame < begin + current.ss_size);
    EXPECT_FALSE(begin <= &here && &here < begin + current.ss_size);
  }).join();
}

TEST(AlternateStack, IsRemovedAtTheEndOfItsScope) {
  std::thread([] {
    stack_t before{};
    ASSERT_EQ(::sigaltstack(nullptr, &before), 0);
    { const AlternateStack stack = AlternateStack::install().value(); }
    stack_t after{};
    ASSERT_EQ(::sigaltstack(nullptr, &after), 0);
    EXPECT_EQ(after.ss_flags, before.ss_flags);
    EXPECT_EQ(after.ss_sp, before.ss_sp);
  }).join();
}

TEST(AlternateStack, IsNeverTooSmallForTheKernel) { EXPECT_TRUE(AlternateStack::install(1)); }

TEST(AlternateStack, FailuresAreReported) {
  FaultPlan faults;
  faults.fail(Call::mmap, ENOMEM);
  EXPECT_TRUE(is_errno(AlternateStack::install().error(), ENOMEM));
  faults.fail(Call::signal, EPERM);
  EXPECT_TRUE(is_errno(AlternateStack::install().error(), EPERM));
}

TEST(Signal, OneThatCannotBeCaughtIsRefused) {
  EXPECT_TRUE(is_errno(set_signal_handler(SIGKILL, count_signal).error(), EINVAL));
}

}  // namespace
}  // namespace weft::sys
