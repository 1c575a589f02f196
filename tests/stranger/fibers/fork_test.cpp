// SPDX-License-Identifier: Apache-2.0
// fork() as docs/guide/fork.md describes it. A child that closed its copy of a listener took the registration
// out of its parent's epoll instance, and the parent accepted nobody any more; one that opened a socket
// registered it there, and the parent aborted; one that waited ran its parent's fibers; run() in a child had
// no monitor.
#include "stranger/fibers/children.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using stranger::Child;
using stranger::in_child;
using stranger::in_fiber;
using stranger::read_all;
using weft::net::TcpListener;
using weft::net::TcpStream;

TcpListener listen_here() { return TcpListener::bind("127.0.0.1:0").value(); }

/// What comes back from a fiber of this process that echoes one byte, over a connection of its own.
char echo_through(TcpListener& listener, char byte) {
  auto echo = weft::spawn([&] {
    TcpStream stream = listener.accept().value();
    std::byte data[1];
    stream.read_exact(data).value();
    stream.write_all(data).value();
  });
  TcpStream client = TcpStream::connect(listener.local_address().value()).value();
  std::byte data[1] = {static_cast<std::byte>(byte)};
  client.write_all(data).value();
  client.read_exact(data).value();
  echo.join_uncancellable();
  return static_cast<char>(data[0]);
}

/// A program of its own, with sockets, timers and a second context.
int run_anew(std::uint32_t threads) {
  return weft::run({.parallelism = threads}, [] {
    TcpListener listener = listen_here();
    weft::ConcurrentContext other("other");
    const int seven = other
                          .spawn([] {
                            weft::sleep(1ms).value();
                            return 7;
                          })
                          .join_uncancellable();
    return echo_through(listener, 'n') == 'n' && seven == 7 ? 0 : 1;
  });
}

class Fork : public testing::TestWithParam<weft::EventLoopStrategy> {
 protected:
  static void in_fiber(const std::function<void()>& body, std::uint32_t threads = 1) {
    EXPECT_EQ(weft::run({.parallelism = threads, .strategy = GetParam()}, [&] { body(); }), 0);
  }
};

TEST_P(Fork, AChildThatClosesItsCopyOfAListenerLeavesTheParentsAlone) {
  in_fiber([] {
    TcpListener listener = listen_here();
    auto accepted = weft::spawn([&] {
      int count = 0;
      while (count < 4 && listener.accept_until(weft::Deadline::after(20s))) ++count;
      return count;
    });
    const auto address = listener.local_address().value();
    ASSERT_TRUE(TcpStream::connect(address));
    weft::yield();  // the listener is registered, and waited for
    EXPECT_EQ(in_child([&] { return listener.close() && !listener.is_open() ? 0 : 1; }).exit_code(), 0);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(TcpStream::connect(address));
    EXPECT_EQ(accepted.join_uncancellable(), 4);
    EXPECT_TRUE(listener.close());
  });
}

TEST_P(Fork, AChildThatClosesItsCopyOfAConnectionLeavesTheParentsAlone) {
  in_fiber([] {
    TcpListener listener = listen_here();
    TcpStream client = TcpStream::connect(listener.local_address().value()).value();
    TcpStream server = listener.accept().value();
    std::byte got[1] = {};
    auto reader = weft::spawn([&] { return server.read_exact_until(got, weft::Deadline::after(20s)); });
    weft::yield();
    EXPECT_EQ(in_child([&] {
                bool closed_twice = false;
                closed_twice = server.close() && server.close().error() == weft::Errc::closed;
                { const TcpStream dropped = std::move(client); }
                return closed_twice ? 0 : 1;
              }).exit_code(),
              0);
    const std::byte sent[1] = {std::byte{'p'}};
    EXPECT_TRUE(client.write_all(sent));
    EXPECT_TRUE(reader.join_uncancellable());
    EXPECT_EQ(got[0], sent[0]);
  });
}

TEST_P(Fork, AChildThatWaitsIsABugThatSaysWhy) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  in_fiber([] {
    TcpListener listener = listen_here();
    auto accepted = weft::spawn([&] { return listener.accept(); });
    weft::yield();
    const auto address = listener.local_address().value();
    const Child accepts = in_child([&] { return listener.accept() ? 1 : 2; });
    EXPECT_TRUE(accepts.aborted_with("after fork() only the parent")) << accepts.text;
    const Child connects = in_child([&] {
      auto own = TcpListener::bind("127.0.0.1:0");
      return own->accept() ? 1 : 2;
    });
    EXPECT_TRUE(connects.aborted_with("After fork() only the parent")) << connects.text;
    EXPECT_TRUE(TcpStream::connect(address));
    EXPECT_TRUE(accepted.join_uncancellable());
    EXPECT_EQ(echo_through(listener, 'w'), 'w');
  });
}

TEST_P(Fork, AChildRunsAProgramOfItsOwn) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    TcpListener listener = listen_here();
    EXPECT_EQ(echo_through(listener, 'a'), 'a');
    for (std::uint32_t threads : {1U, 2U}) {
      const Child child = in_child([&] { return run_anew(threads); });
      EXPECT_EQ(child.exit_code(), 0) << child.text;
    }
    EXPECT_EQ(echo_through(listener, 'b'), 'b');
  });
}

// Workers that share a listener: opened before the fork, and waited for by the children only.
TEST_P(Fork, AChildServesAListenerThatItInherited) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    TcpListener listener = listen_here();
    EXPECT_EQ(echo_through(listener, 'a'), 'a');
    const Child child =
        in_child([&] { return weft::run([&] { return echo_through(listener, 'c') == 'c' ? 0 : 1; }); });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
    EXPECT_EQ(echo_through(listener, 'b'), 'b');
  });
}

INSTANTIATE_TEST_SUITE_P(Strategies, Fork, testing::ValuesIn(weft::EventLoopStrategy::named()),
                         [](const auto& instance) {
                           std::string name = instance.param.to_string();
                           for (char& letter : name)
                             if (letter == '-') letter = '_';
                           return name;
                         });

// A library yields now and then when a fiber does much without a wait. The child has nobody to yield to.
TEST(ForkedChild, WhatNeedNotWaitMayBeDoneAsOftenAsTheChildLikes) {
  stranger::in_fiber([] {
    const Child child = in_child([] {
      weft::Channel<int> numbers(1);
      int sum = 0;
      for (int i = 0; i < 1000; ++i) {
        if (!numbers.send(i)) return 1;
        sum += numbers.receive().value() == i ? 1 : 0;
        (void)weft::checkpoint();
      }
      return sum == 1000 ? 0 : 2;
    });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  });
}

TEST(ForkedChild, EachCallThatWaitsIsNamed) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  in_fiber([] {
    auto sleeper = weft::spawn([] { (void)weft::sleep(1h); });
    weft::yield();
    weft::Channel<int> channel;
    const auto refused = [](const char* what, const std::function<void()>& call) {
      const Child child = in_child([&] {
        call();
        return 3;
      });
      EXPECT_TRUE(child.aborted_with(what)) << what << ": " << child.text;
      EXPECT_NE(child.text.find("fter fork() only the parent"), std::string::npos) << child.text;
    };
    refused("fiber \"main\" (128 KiB stack, spawned at ", [] { (void)weft::sleep(1ms); });
    refused("main\" (128 KiB stack, spawned at ", [] { weft::yield(); });
    refused("waits for the end of fiber", [&] { sleeper.join_uncancellable(); });
    refused("waits for a value from channel", [&] { (void)channel.receive(); });
    refused("waits for its time", [&] {  // it woke another one, which must not run here
      sleeper.cancel();
      (void)weft::sleep(1ms);
    });
    refused("spawned in an execution context of the parent", [] { weft::spawn([] {}); });
    sleeper.cancel();
    sleeper.join_uncancellable();
  });
}

TEST(ForkedChild, AChildThatReturnsFromItsFiberIsABug) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  in_fiber([] {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    pid_t pid = 0;
    const pid_t parent = ::getpid();
    weft::spawn([&] {
      pid = ::fork();
      if (pid != 0) return;
      ::alarm(30);
      ::dup2(pipe[1], STDERR_FILENO);
    }).join_uncancellable();
    ASSERT_EQ(::getpid(), parent);
    ::close(pipe[1]);
    const std::string text = read_all(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
    EXPECT_NE(text.find("returns in a child of fork()"), std::string::npos) << text;
  });
}

TEST(ForkedChild, WhatDoesNotWaitGoesOn) {
  in_fiber([] {
    weft::Mutex mutex;
    weft::Channel<int> channel(4);
    EXPECT_TRUE(channel.send(1));
    const Child child = in_child([&] {
      const weft::CancelScope scope;
      const std::scoped_lock lock(mutex);
      const bool sent = static_cast<bool>(channel.send(2));
      return sent && channel.receive().value() == 1 && channel.receive().value() == 2 ? 0 : 1;
    });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  });
}

TEST(ForkedChild, ExecWorks) {
  in_fiber([] {
    const Child child = in_child([] {
      ::execl("/bin/sh", "sh", "-c", "echo started >&2; exit 5", static_cast<char*>(nullptr));
      return 1;
    });
    EXPECT_EQ(child.exit_code(), 5);
    EXPECT_EQ(child.text, "started\n");
  });
}

TEST(ForkedChild, APlainThreadForksBesideARun) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  std::atomic<bool> done{false};
  Child child;
  std::thread forker;
  in_fiber(
      [&] {
        TcpListener listener = listen_here();
        forker = std::thread([&] {
          child = in_child([] { return run_anew(2); });
          done = true;
        });
        while (!done) EXPECT_EQ(echo_through(listener, 'e'), 'e');
      },
      2);
  forker.join();
  EXPECT_EQ(child.exit_code(), 0) << child.text;
}

TEST(ForkedChild, TheOnlyThreadThatWaitsForAParentsFiberIsABug) {
  weft::ParallelContext context("workers");
  weft::Latch latch(1);
  auto fiber = context.spawn([&] { latch.wait_uncancellable(); });
  const Child child = in_child([&] {
    fiber.join_uncancellable();
    return 0;
  });
  EXPECT_TRUE(child.aborted_with("weft::run() anew")) << child.text;
  latch.count_down();
  fiber.join_uncancellable();
}

TEST(ForkedChild, ContextsOfTheParentEndInTheChildWithoutTheirThreads) {
  const Child child = [] {
    auto context =
        std::make_unique<weft::ParallelContext>("workers", weft::ParallelOptions{.parallelism = 2});
    EXPECT_EQ(context->spawn([] { return 3; }).join_uncancellable(), 3);
    return in_child([&] {
      context.reset();
      return 0;
    });
  }();
  EXPECT_EQ(child.exit_code(), 0) << child.text;
}

TEST(ForkedChild, ADeadlockInAProgramOfTheChildIsReported) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    auto others = weft::spawn([] { (void)weft::sleep(1h); }, {.name = "the parent's"});
    weft::yield();
    const Child child = in_child([] {
      weft::set_deadlock_handler([](const weft::DeadlockReport& report) {
        ::_exit(report.fibers == 1 && report.dump.find("the parent's") == std::string_view::npos ? 9 : 1);
      });
      return weft::run([] { (void)weft::Channel<int>().receive(); });
    });
    EXPECT_EQ(child.exit_code(), 9) << child.text;
    others.cancel();
    others.join_uncancellable();
  });
}

TEST(ForkedChild, AChildForksAgain) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    const Child child = in_child([] {
      return weft::run([] {
        TcpListener listener = listen_here();
        const bool before = echo_through(listener, 'x') == 'x';
        const int closed = in_child([&] { return listener.close() ? 0 : 1; }).exit_code();
        const int ran = in_child([] { return run_anew(1); }).exit_code();
        return before && closed == 0 && ran == 0 && echo_through(listener, 'y') == 'y' ? 0 : 1;
      });
    });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  });
}

// Other threads hold the runtime's own locks at any moment: those of the stacks, and of the descriptors.
TEST(ForkedChild, WhatOtherThreadsWereDoingDoesNotMatter) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer of gcc 12: a child has no allocator if a thread of its parent was in it";
#endif
  std::atomic<bool> done{false};
  std::vector<std::thread> plain;
  for (int i = 0; i < 2; ++i) {
    plain.emplace_back([&] {
      weft::ParallelContext context("churn", {.parallelism = 2});
      while (!done) {
        context
            .spawn([] {
              std::vector<weft::JoinHandle<void>> many;
              for (int k = 0; k < 200; ++k) many.push_back(weft::spawn([] { weft::yield(); }));
              for (auto& one : many) one.join_uncancellable();
              for (int k = 0; k < 20; ++k) (void)listen_here();
            })
            .join_uncancellable();
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    const Child child = in_child([] { return run_anew(2); });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  }
  done = true;
  for (std::thread& thread : plain) thread.join();
}

// Its lock was held in the child for good if a thread of the parent was setting a handler, or the strategy,
// at the time.
TEST(ForkedChild, SettingsThatOtherThreadsWereChangingCanBeChanged) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  EXPECT_EQ(weft::run([] {}), 0);  // forks are prepared for
  std::atomic<bool> done{false};
  const auto change_all = [] {
    weft::set_deadlock_handler({});
    weft::set_leak_handler({});
    weft::set_stuck_handler({});
    weft::set_default_event_loop_strategy(weft::default_event_loop_strategy());
  };
  std::thread other([&] {
    while (!done) change_all();
  });
  for (int i = 0; i < 100; ++i) {
    const Child child = in_child([&] {
      change_all();
      return i % 10 == 0 ? run_anew(1) : 0;
    });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
  }
  done = true;
  other.join();
}

}  // namespace
