// SPDX-License-Identifier: Apache-2.0
// Signal sets as signal_set.hpp describes them, with signals of the kernel.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <csignal>
#include <optional>
#include <pthread.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;

void send(int number) { ASSERT_EQ(::kill(::getpid(), number), 0); }

TEST(SignalSet, ReceivesWhatTheKernelDeliversToAnyThread) {
  in_fiber([] {
    weft::SignalSet set{SIGUSR1, SIGUSR2};
    send(SIGUSR1);
    EXPECT_EQ(set.wait().value().number, SIGUSR1);
    // One that a foreign thread gets.
    std::thread foreign([] { ::pthread_kill(::pthread_self(), SIGUSR2); });
    EXPECT_EQ(set.wait().value().number, SIGUSR2);
    foreign.join();
  });
}

TEST(SignalSet, WorksBeforeAndAfterRun) {
  weft::SignalSet set{SIGUSR1};
  send(SIGUSR1);
  in_fiber([&] { EXPECT_EQ(set.wait().value().number, SIGUSR1); });
  send(SIGUSR1);
  EXPECT_EQ(set.wait().value().number, SIGUSR1);
  EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);
}

TEST(SignalSet, TheSecondOfAKindIsNotLost) {
  in_fiber([] {
    weft::SignalSet set{SIGUSR1};
    for (int i = 0; i < 2; ++i) ::raise(SIGUSR1);  // each is handled when raise() returns
    EXPECT_TRUE(set.wait());
    EXPECT_TRUE(set.wait());
    EXPECT_EQ(set.wait_until(1ms).error(), weft::Errc::timed_out);
  });
}

TEST(SignalSet, AThousandAreCounted) {
  in_fiber([] {
    weft::SignalSet set{SIGUSR1};
    for (int i = 0; i < 1000; ++i) ::raise(SIGUSR1);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(set.try_wait().value().number, SIGUSR1) << i;
    EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);
  });
}

TEST(SignalSet, FromManyThreadsNoneIsLost) {
  in_fiber(
      [] {
        weft::SignalSet first{SIGUSR1}, second{SIGUSR1};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
          threads.emplace_back([] {
            for (int i = 0; i < 50; ++i) ::pthread_kill(::pthread_self(), SIGUSR1);
          });
        for (int i = 0; i < 200; ++i) ASSERT_TRUE(first.wait());
        weft::blocking([&] {
          for (std::thread& thread : threads) thread.join();
        }).value();
        for (int i = 0; i < 200; ++i) ASSERT_TRUE(second.wait());
        EXPECT_EQ(first.try_wait().error(), weft::Errc::would_block);
        EXPECT_EQ(second.try_wait().error(), weft::Errc::would_block);
      },
      2);
}

TEST(SignalSet, TellsWhoSentIt) {
  weft::SignalSet set{SIGUSR1, SIGCHLD};
  ::raise(SIGUSR1);
  EXPECT_EQ(set.wait().value().sender, ::getpid());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const weft::Signal ended = set.wait().value();
  EXPECT_EQ(ended.number, SIGCHLD);
  EXPECT_EQ(ended.sender, child);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
}

TEST(SignalSet, ASetMayBeMadeAndDestroyedAgainAndAgain) {
  in_fiber([] {
    for (int i = 0; i < 100; ++i) {
      weft::SignalSet set{SIGUSR1, SIGHUP};
      ::raise(i % 2 == 0 ? SIGUSR1 : SIGHUP);
      ASSERT_EQ(set.wait().value().number, i % 2 == 0 ? SIGUSR1 : SIGHUP);
    }
  });
}

TEST(SignalSet, RefusesWhatCannotBeReceivedAndSaysWhat) {
  try {
    const weft::SignalSet set{SIGSEGV};
    ADD_FAILURE() << "it was made";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("SIGSEGV cannot be waited for"), std::string::npos)
        << error.what();
  }
}

TEST(SignalSet, ManyWaitersGetOneEach) {
  in_fiber(
      [] {
        weft::SignalSet set{SIGUSR1};
        weft::TaskGroup<int> group;
        for (int i = 0; i < 50; ++i)
          group.spawn([&]() -> weft::Result<int> {
            const auto signal = set.wait();
            if (!signal) return signal.error();
            return signal->number;
          });
        for (int i = 0; i < 50; ++i) {
          ::raise(SIGUSR1);
          weft::yield();
        }
        const auto numbers = group.wait().value();
        EXPECT_EQ(numbers, std::vector<int>(50, SIGUSR1));
        EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);
      },
      2);
}

}  // namespace
