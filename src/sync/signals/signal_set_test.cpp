// SPDX-License-Identifier: Apache-2.0
#include <weft/signal_set.hpp>

#include "base/sanitizers.hpp"
#include "support/any_context.hpp"
#include "support/sleeper.hpp"
#include "sys/fault.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/dump.hpp>
#include <weft/select.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <csignal>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class SignalSetTest : public test::InAnyContext {
 protected:
  bool simulated() const { return GetParam().kind == test::AnyContextKind::kSimulated; }
};
INSTANTIATE_TEST_SUITE_P(Contexts, SignalSetTest, test::all_placements(), test::kind_name);

TEST_P(SignalSetTest, ASignalThatCameBeforeIsReceivedAtOnce) {
  SignalSet set{SIGUSR1};
  ::raise(SIGUSR1);
  run([&] {
    const Signal signal = set.wait().value();
    EXPECT_EQ(signal.number, SIGUSR1);
    EXPECT_EQ(signal.sender, ::getpid());
    EXPECT_EQ(set.try_wait().error(), Errc::would_block);
  });
}

TEST_P(SignalSetTest, AFiberThatWaitsIsWokenByASignalOfTheKernel) {
  SignalSet set{SIGUSR1, SIGUSR2};
  auto waiting = test::spawn_suspended(context, [&] { return set.wait(); });
  ::kill(::getpid(), SIGUSR2);
  EXPECT_EQ(waiting.join_uncancellable().value().number, SIGUSR2);
}

TEST_P(SignalSetTest, EachOfManySignalsIsReceivedOnce) {
  run([&] {
    SignalSet set{SIGUSR1, SIGUSR2};
    for (int i = 0; i < 200; ++i) raise_signal(i % 2 == 0 ? SIGUSR1 : SIGUSR2);
    int ones = 0, twos = 0;
    for (int i = 0; i < 200; ++i) {
      const Signal signal = set.wait().value();
      if (i < 64) {  // of so many the order is kept
        EXPECT_EQ(signal.number, i % 2 == 0 ? SIGUSR1 : SIGUSR2) << i;
      }
      ++(signal.number == SIGUSR1 ? ones : twos);
    }
    EXPECT_EQ(ones, 100);
    EXPECT_EQ(twos, 100);
    EXPECT_EQ(set.try_wait().error(), Errc::would_block);
  });
}

TEST_P(SignalSetTest, EachSetThatHasTheSignalReceivesIt) {
  run([&] {
    SignalSet one{SIGUSR1}, both{SIGUSR1, SIGUSR2};
    raise_signal(SIGUSR1);
    EXPECT_EQ(one.wait()->number, SIGUSR1);
    EXPECT_EQ(both.wait()->number, SIGUSR1);
    raise_signal(SIGUSR2);
    EXPECT_EQ(one.try_wait().error(), Errc::would_block);
    EXPECT_EQ(both.wait()->number, SIGUSR2);
    const SignalSet later{SIGUSR1};  // what came before is not its
    EXPECT_EQ(one.try_wait().error(), Errc::would_block);
  });
}

TEST_P(SignalSetTest, OneOfTwoThatWaitInASetReceivesASignal) {
  SignalSet set{SIGUSR1};
  auto first = test::spawn_suspended(context, [&] { return set.wait(); });
  auto second = test::spawn_suspended(context, [&] { return set.wait(); });
  raise_signal(SIGUSR1);
  test::until([&] { return first.done() || second.done(); });
  raise_signal(SIGUSR1);
  EXPECT_TRUE(first.join_uncancellable());
  EXPECT_TRUE(second.join_uncancellable());
  EXPECT_EQ(set.try_wait().error(), Errc::would_block);
}

TEST_P(SignalSetTest, AWaitEndsAtItsDeadlineAndByACancelAndLosesNothing) {
  SignalSet set{SIGUSR1};
  run([&] {
    EXPECT_EQ(set.wait_until(Deadline::at_ns(0)).error(), Errc::timed_out);
    EXPECT_EQ(set.wait_until(1ms).error(), Errc::timed_out);
    const CancelScope scope(1ms);
    EXPECT_EQ(set.wait().error(), Errc::timed_out);
  });
  auto waiting = test::spawn_suspended(context, [&] { return set.wait(); });
  waiting.cancel();
  EXPECT_EQ(waiting.join_uncancellable().error(), Errc::cancelled);
  raise_signal(SIGUSR1);
  EXPECT_TRUE(set.try_wait());
}

TEST_P(SignalSetTest, AnAvailableSignalIsReceivedAfterTheDeadlineAndACancel) {
  run([&] {
    SignalSet set{SIGUSR1};
    raise_signal(SIGUSR1);
    raise_signal(SIGUSR1);
    EXPECT_TRUE(set.wait_until(Deadline::at_ns(0)));
    CancelScope scope;
    scope.cancel();
    EXPECT_TRUE(set.wait());
    EXPECT_EQ(set.wait().error(), Errc::cancelled);
  });
}

TEST_P(SignalSetTest, ASelectReceivesASignalOrLeavesItInTheSet) {
  run([&] {
    SignalSet set{SIGUSR1};
    Channel<int> channel(1);
    raise_signal(SIGUSR1);
    channel.send(4).value();
    int taken = 0, value = 0;
    while (taken == 0 || value == 0) {
      ASSERT_TRUE(select(signalled(set, [&](Signal signal) { taken = signal.number; }),
                         receive(channel, [&](Result<int> received) { value = *received; })));
    }
    EXPECT_EQ(taken, SIGUSR1);
    EXPECT_EQ(value, 4);
    bool nothing = false;
    ASSERT_TRUE(select(signalled(set, [](Signal) {}), otherwise([&] { nothing = true; })));
    EXPECT_TRUE(nothing);
  });
}

TEST_P(SignalSetTest, ASelectThatWaitsIsWoken) {
  SignalSet set{SIGUSR1};
  Channel<int> channel(1);
  auto waiting = test::spawn_suspended(context, [&] {
    int taken = 0;
    select(receive(channel, [](Result<int>) {}),
           signalled(set, [&](Signal signal) { taken = signal.number; }));
    return taken;
  });
  EXPECT_THAT(dump_to_string(), HasSubstr("a signal: SIGUSR1"));
  ::kill(::getpid(), SIGUSR1);
  EXPECT_EQ(waiting.join_uncancellable(), SIGUSR1);
}

TEST_P(SignalSetTest, ATokenAsksAtTheFirstSignalWhichStaysInTheSet) {
  SignalSet set{SIGUSR1};
  const CancelToken token = set.token();
  EXPECT_FALSE(token.cancelled());
  auto waiting = test::spawn_suspended(context, [&] {
    const CancelScope scope(token);
    return sleep_until(Deadline::never()).error();
  });
  ::kill(::getpid(), SIGUSR1);
  EXPECT_EQ(waiting.join_uncancellable(), Errc::cancelled);
  EXPECT_TRUE(token.cancelled());
  EXPECT_TRUE(set.token().cancelled());
  EXPECT_EQ(set.try_wait()->number, SIGUSR1);
}

TEST_P(SignalSetTest, ADumpNamesTheSignals) {
  SignalSet set{SIGUSR1, SIGHUP};
  auto waiting = test::spawn_suspended(context, [&] { return set.wait(); });
  EXPECT_THAT(dump_to_string(), HasSubstr("waits for a signal: SIGHUP SIGUSR1"));
  raise_signal(SIGHUP);
  EXPECT_TRUE(waiting.join_uncancellable());
}

TEST_P(SignalSetTest, APlainThreadWaitsToo) {
  SignalSet set{SIGUSR1};
  std::thread waiting([&] { EXPECT_EQ(set.wait()->number, SIGUSR1); });
  raise_signal(SIGUSR1);
  waiting.join();
  EXPECT_EQ(set.wait_until(1ms).error(), Errc::timed_out);
}

// -- what a signal does beside ------------------------------------------------------------------------------

/// What the signal does in this process.
struct sigaction action_of(int of) {
  struct sigaction action {};
  EXPECT_EQ(::sigaction(of, nullptr, &action), 0);
  return action;
}

Atomic<int> calls_of_own_handler{0};
void own_handler(int) { calls_of_own_handler.fetch_add(1, relaxed); }
void own_handler_with_info(int, siginfo_t* info, void*) {
  calls_of_own_handler.fetch_add(info->si_signo, relaxed);
}

TEST(SignalSetActionTest, TheLastSetPutsBackWhatWasThere) {
  ASSERT_EQ(action_of(SIGUSR1).sa_handler, SIG_DFL);
  {
    const SignalSet outer{SIGUSR1};
    { const SignalSet inner{SIGUSR1, SIGUSR2}; }
    EXPECT_NE(action_of(SIGUSR1).sa_handler, SIG_DFL);
    EXPECT_EQ(action_of(SIGUSR2).sa_handler, SIG_DFL);
  }
  EXPECT_EQ(action_of(SIGUSR1).sa_handler, SIG_DFL);
}

TEST(SignalSetActionTest, AHandlerOfTheProgramIsCalledToo) {
  ::signal(SIGUSR1, own_handler);
  struct sigaction with_info {};
  with_info.sa_sigaction = own_handler_with_info;
  with_info.sa_flags = SA_SIGINFO;
  ::sigaction(SIGUSR2, &with_info, nullptr);
  calls_of_own_handler.store(0, relaxed);
  {
    SignalSet set{SIGUSR1, SIGUSR2};
    ::raise(SIGUSR1);
    EXPECT_EQ(calls_of_own_handler.load(relaxed), 1);
    ::raise(SIGUSR2);
    EXPECT_EQ(calls_of_own_handler.load(relaxed), 1 + SIGUSR2);
    EXPECT_EQ(set.try_wait()->number, SIGUSR1);
    EXPECT_EQ(set.try_wait()->number, SIGUSR2);
  }
  EXPECT_EQ(action_of(SIGUSR1).sa_handler, own_handler);
  ::raise(SIGUSR1);
  EXPECT_EQ(calls_of_own_handler.load(relaxed), 2 + SIGUSR2);
  ::signal(SIGUSR1, SIG_DFL);
  ::signal(SIGUSR2, SIG_DFL);
}

TEST(SignalSetActionTest, AHandlerThatTheProgramInstallsMeanwhileStays) {
  {
    const SignalSet set{SIGUSR1};
    ::signal(SIGUSR1, own_handler);
  }
  EXPECT_EQ(action_of(SIGUSR1).sa_handler, own_handler);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST(SignalSetActionTest, ASignalThatEveryThreadBlocksIsReceived) {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  {
    SignalSet set{SIGUSR1};
    ::kill(::getpid(), SIGUSR1);
    EXPECT_EQ(set.wait()->number, SIGUSR1);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(SignalSetActionTest, TheSenderIsKnownOfTheLatestSixteenOnly) {
  SignalSet set{SIGUSR1};
  ::raise(SIGUSR1);
  EXPECT_EQ(set.try_wait()->sender, ::getpid());
}

TEST(SignalSetActionTest, WhatCannotBeWaitedForIsRefusedByName) {
  const auto refusal = [](int one) -> std::string {
    try {
      const SignalSet set{SIGUSR1, one};
      return "";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::invalid_argument);
      return error.what();
    }
  };
  for (const int refused :
       {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, 0, -1, 65, 32, 33})
    EXPECT_THAT(refusal(refused), HasSubstr("cannot be waited for")) << refused;
  EXPECT_THAT(refusal(SIGKILL), HasSubstr("SIGKILL"));
  EXPECT_THROW(SignalSet(std::initializer_list<int>{}), std::system_error);
  EXPECT_EQ(action_of(SIGUSR1).sa_handler, SIG_DFL);  // nothing is left of a set that was refused
  EXPECT_THROW(raise_signal(0), std::system_error);
  EXPECT_THROW(raise_signal(65), std::system_error);
}

TEST(SignalSetActionTest, AKernelThatRefusesIsNamedAndLeavesNothingBehind) {
  // Of two signals each is looked at and set: the last of the four calls.
  for (std::uint64_t skipped = 0; skipped < 4; ++skipped) {
    sys::FaultPlan faults;
    faults.fail(sys::Call::signal, ENOMEM, {.skip = skipped});
    try {
      const SignalSet set{SIGUSR1, SIGUSR2};
      ADD_FAILURE() << "it was made";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::not_enough_memory);
      EXPECT_THAT(error.what(), HasSubstr(skipped < 2 ? "SIGUSR1" : "SIGUSR2"));
    }
  }
  EXPECT_EQ(action_of(SIGUSR1).sa_handler, SIG_DFL);
  EXPECT_EQ(action_of(SIGUSR2).sa_handler, SIG_DFL);
  SignalSet set{SIGUSR1, SIGUSR2};
  ::raise(SIGUSR2);
  EXPECT_EQ(set.try_wait()->number, SIGUSR2);
}

TEST(SignalSetActionTest, RealTimeSignalsAreReceivedEachByItself) {
  if (WEFT_TSAN) GTEST_SKIP() << "ThreadSanitizer holds signals back, and one of a kind only";
  SignalSet set{SIGRTMIN};
  for (int i = 0; i < 100; ++i) ASSERT_EQ(::sigqueue(::getpid(), SIGRTMIN, {}), 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(set.wait()->number, SIGRTMIN);
  EXPECT_EQ(set.try_wait().error(), Errc::would_block);
}

}  // namespace
}  // namespace weft
