// SPDX-License-Identifier: Apache-2.0
// RunOptions::stop_on: the first signal ends main's waits, the second one the process.
#include "stranger/fibers/children.hpp"

#include <weft/weft.hpp>

#include <csignal>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using stranger::Child;
using stranger::in_child;

TEST(StopOn, EndsEveryWaitOfMainAndOfItsGroups) {
  int ended = 0;
  EXPECT_EQ(weft::run({.parallelism = 2, .stop_on = {SIGUSR1}},
                      [&] {
                        weft::TaskGroup<int> group;
                        for (int i = 0; i < 10; ++i) group.spawn([] { return weft::sleep(1h) ? 0 : 1; });
                        ::kill(::getpid(), SIGUSR1);
                        while (auto one = group.next()) ended += one->value_or(0);
                        return weft::this_fiber::cancel_requested() ? 3 : 4;
                      }),
            3);
  EXPECT_LE(ended, 10);
}

TEST(StopOn, EndsAServerGracefully) {
  std::string answer;
  weft::run({.stop_on = {SIGUSR1}}, [&] {
    weft::http::Server server({.cancel_grace = 10s});
    weft::Latch entered(1);
    server.get("/slow", [&](const weft::http::Request&, weft::http::Response& response) {
      entered.count_down();
      weft::sleep(20ms).value();  // not cancelled: the drain waits for it
      response.text("whole");
    });
    const auto address = server.start("127.0.0.1:0").value();
    auto client = weft::spawn([&] {
      auto stream = weft::net::TcpStream::connect(address).value();
      stream.write_all("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").value();
      std::array<char, 4096> buffer;
      while (auto n = stream.read_some(buffer)) answer.append(buffer.data(), *n);
    });
    entered.wait().value();
    weft::raise_signal(SIGUSR1);
    EXPECT_EQ(server.wait().error(), weft::Errc::cancelled);
    client.join_uncancellable();
  });
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_NE(answer.find("whole"), std::string::npos) << answer;
}

TEST(StopOn, WithoutAGraceAServerStopsAtOnce) {
  weft::run({.stop_on = {SIGUSR1}}, [&] {
    weft::http::Server server;
    server.start("127.0.0.1:0").value();
    weft::raise_signal(SIGUSR1);
    EXPECT_EQ(server.wait().error(), weft::Errc::cancelled);
  });
}

TEST(StopOn, TheSecondSignalKillsWithItsOwnStatus) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  const Child child = in_child([] {
    return weft::run({.stop_on = {SIGINT, SIGTERM}}, [] {
      ::kill(::getpid(), SIGINT);
      while (weft::sleep(1ms)) {}  // until it has come
      ::kill(::getpid(), SIGTERM);
      const weft::CancelShield deaf;
      weft::sleep(1h);
      return 0;
    });
  });
  EXPECT_TRUE(WIFSIGNALED(child.status)) << child.text;
  EXPECT_EQ(WTERMSIG(child.status), SIGTERM);
}

TEST(StopOn, TheSecondSignalKillsAlsoWhileTheOnlyThreadIsStuck) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  const Child child = in_child([] {
    return weft::run({.stop_on = {SIGINT}}, [] {
      ::raise(SIGINT);
      ::raise(SIGINT);
      for (;;) ::pause();  // no fiber runs any more
      return 0;
    });
  });
  EXPECT_TRUE(WIFSIGNALED(child.status)) << child.text;
  EXPECT_EQ(WTERMSIG(child.status), SIGINT);
}

TEST(StopOn, ASignalBeforeTheFirstWaitIsNotMissed) {
  EXPECT_EQ(weft::run({.stop_on = {SIGUSR1}},
                      [] {
                        ::raise(SIGUSR1);
                        return weft::sleep(1h).error() == weft::Errc::cancelled ? 7 : 8;
                      }),
            7);
}

TEST(StopOn, AfterRunTheSignalDoesWhatItDidBefore) {
  weft::run({.stop_on = {SIGUSR1}}, [] {});
  struct sigaction action {};
  ::sigaction(SIGUSR1, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
