// SPDX-License-Identifier: Apache-2.0
// io::wait(): the readiness of a descriptor that somebody else owns.
#include "stranger/foreign/ends.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::Ends;
using stranger::in_fiber;
using stranger::kBoth;
using stranger::kEither;
using stranger::kReadable;
using stranger::kWritable;
using weft::Errc;
using weft::io::Interest;
using weft::io::Ready;
using weft::io::wait;

TEST(Wait, ReturnsAtOnceIfTheDescriptorIsReady) {
  in_fiber([] {
    const Ends ends;
    EXPECT_EQ(wait(ends.ours(), Interest::kWritable).value(), kWritable);
    EXPECT_EQ(wait(ends.ours(), kEither).value(), kWritable) << "nothing to read";
    ends.send("x");
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable).value(), kReadable);
    EXPECT_EQ(wait(ends.ours(), kEither).value(), kBoth);
  });
}

TEST(Wait, SuspendsUntilThereIsSomethingToRead) {
  for (const Interest interest : {Interest::kReadable, kEither}) {
    in_fiber([&] {
      const Ends ends;
      ends.fill();
      auto waiting = weft::spawn([&] { return wait(ends.ours(), interest); });
      weft::yield();
      EXPECT_FALSE(waiting.done());
      ends.send("x");
      EXPECT_EQ(waiting.join().value(), kReadable);
      EXPECT_EQ(ends.receive(9), "x") << "the wait has read nothing";
    });
  }
}

TEST(Wait, SuspendsUntilThereIsRoomToWrite) {
  for (const Interest interest : {Interest::kWritable, kEither}) {
    in_fiber([&] {
      const Ends ends;
      ends.fill();
      auto waiting = weft::spawn([&] { return wait(ends.ours(), interest); });
      weft::yield();
      EXPECT_FALSE(waiting.done());
      ends.drain_at_peer();
      EXPECT_EQ(waiting.join().value(), kWritable);
    });
  }
}

TEST(Wait, TellsAgainWhatWasReadInPart) {
  in_fiber([] {
    const Ends ends;
    ends.send("ab");
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable).value(), kReadable);
    EXPECT_EQ(ends.receive(1), "a");
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable).value(), kReadable);
    EXPECT_EQ(ends.receive(1), "b");
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable, 1ms).error(), Errc::timed_out);
  });
}

TEST(Wait, ChangesNoFlagOfTheFile) {
  in_fiber([] {
    for (const int flags : {0, int{SOCK_NONBLOCK}}) {
      const Ends ends(flags);
      const int before = ::fcntl(ends.ours(), F_GETFL);
      EXPECT_EQ(wait(ends.ours(), Interest::kReadable, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(::fcntl(ends.ours(), F_GETFL), before);
      EXPECT_EQ(::fcntl(ends.ours(), F_GETFD), 0);
    }
  });
}

TEST(Wait, AnEndOrAnErrorIsReadyInEachDirectionThatWasAskedFor) {
  in_fiber([] {
    Ends ends;
    ends.close_theirs();
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable).value(), (Ready{.readable = true, .hung_up = true}));
    EXPECT_EQ(wait(ends.ours(), Interest::kWritable).value(), (Ready{.writable = true, .hung_up = true}));
    EXPECT_EQ(wait(ends.ours(), kEither).value(),
              (Ready{.readable = true, .writable = true, .hung_up = true}));
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    ::close(pipe[0]);
    EXPECT_EQ(wait(pipe[1], Interest::kWritable).value(), (Ready{.writable = true, .error = true}));
    ::close(pipe[1]);
  });
}

TEST(Wait, WakesWhenThePeerGoes) {
  in_fiber([] {
    Ends ends;
    ends.fill();
    auto reader = weft::spawn([&] { return wait(ends.ours(), Interest::kReadable); });
    auto writer = weft::spawn([&] { return wait(ends.ours(), Interest::kWritable); });
    auto either = weft::spawn([&] { return wait(ends.ours(), kEither); });
    weft::yield();
    ends.close_theirs();
    EXPECT_TRUE(reader.join().value().readable);
    EXPECT_TRUE(writer.join().value().writable);
    EXPECT_TRUE(either.join().value().hung_up);
  });
}

TEST(Wait, ARegularFileIsAlwaysReadyAndWhatIsNotOpenIsAnError) {
  in_fiber([] {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(wait(file, kEither).value(), kBoth);
    ::close(file);
    EXPECT_EQ(wait(file, Interest::kReadable).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(wait(-1, Interest::kReadable).error(), std::errc::bad_file_descriptor);
    const Ends ends;
    EXPECT_EQ(wait(ends.ours(), Interest{}).error(), std::errc::invalid_argument);
    EXPECT_EQ(wait(ends.ours(), Interest{4}).error(), std::errc::invalid_argument);
  });
}

TEST(Wait, WorksOnAnEventfdAndAnEpollOfALibrary) {
  in_fiber([] {
    const int event = ::eventfd(0, EFD_CLOEXEC);
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted{.events = EPOLLIN, .data = {}};
    EXPECT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted), 0);
    auto of_event = weft::spawn([&] { return wait(event, Interest::kReadable); });
    auto of_epoll = weft::spawn([&] { return wait(epoll, Interest::kReadable); });
    weft::yield();
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(event, &one, sizeof one), 8);
    EXPECT_EQ(of_event.join().value(), kReadable);
    EXPECT_EQ(of_epoll.join().value(), kReadable);
    ::close(epoll);
    ::close(event);
  });
}

TEST(Wait, EndsAtItsDeadlineAndByCancellation) {
  for (const Interest interest : {Interest::kReadable, kEither}) {
    in_fiber([&] {
      const Ends ends;
      ends.fill();
      EXPECT_EQ(wait(ends.ours(), interest, 1ms).error(), Errc::timed_out);
      EXPECT_EQ(wait(ends.ours(), interest, weft::Deadline::at_ns(0)).error(), Errc::timed_out);
      auto waiting = weft::spawn([&] { return wait(ends.ours(), interest); });
      weft::yield();
      waiting.cancel();
      EXPECT_EQ(waiting.join().error(), Errc::cancelled);
      auto cancelled = weft::spawn([&] {
        weft::CancelScope scope;
        scope.cancel();
        return wait(ends.ours(), interest);
      });
      EXPECT_EQ(cancelled.join().error(), Errc::cancelled) << "it would have to wait";
      EXPECT_EQ(weft::with_timeout(1ms, [&] { return wait(ends.ours(), Interest::kReadable); }).error(),
                Errc::timed_out);
    });
  }
}

TEST(Wait, WakesAllWhoWait) {
  weft::ParallelContext other("other", {.parallelism = 2});
  in_fiber([&] {
    const Ends ends;
    std::vector<weft::JoinHandle<weft::Result<Ready>>> waiting;
    for (int i = 0; i < 20; ++i) {
      waiting.push_back(i % 2 == 0 ? weft::spawn([&] { return wait(ends.ours(), Interest::kReadable); })
                                   : other.spawn([&] { return wait(ends.ours(), Interest::kReadable); }));
    }
    weft::yield();
    ends.send("x");
    for (auto& one : waiting) EXPECT_EQ(one.join().value(), kReadable);
  });
}

// The number of descriptors is what it was, whatever the waits ended by.
TEST(Wait, KeepsNoDescriptor) {
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  in_fiber([&] {
    const Ends ends;
    EXPECT_EQ(wait(ends.ours(), Interest::kReadable, 1ms).error(), Errc::timed_out);
    const auto before = open_files();
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(wait(ends.ours(), kEither, 1ms).value(), kWritable);
      EXPECT_EQ(wait(ends.ours(), Interest::kReadable, weft::Deadline::at_ns(0)).error(), Errc::timed_out);
    }
    EXPECT_EQ(open_files(), before);
  });
}

TEST(WaitDeathTest, OnAPlainThreadIsABugThatNamesTheCall) {
  EXPECT_DEATH(static_cast<void>(wait(0, Interest::kReadable)), "io::wait\\(\\)");
}

}  // namespace
