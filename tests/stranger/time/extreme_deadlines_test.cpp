// SPDX-License-Identifier: Apache-2.0
// Every call that takes a deadline or a duration, with the ends of their types.
//
// What was wrong: a deadline near INT64_MIN was subtracted from the clock and wrapped into the far future, so
// that it stopped every timer of its event loop.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::Result;

using Seconds = std::chrono::duration<double>;
using FloatHours = std::chrono::duration<float, std::ratio<3600>>;
using LongSeconds = std::chrono::duration<long double>;
using Frames = std::chrono::duration<std::int64_t, std::ratio<1, 30>>;
using UnsignedDays = std::chrono::duration<std::uint64_t, std::ratio<86400>>;
// Whose second has more nanoseconds than std::ratio can say: it did not compile.
using Exaseconds = std::chrono::duration<int, std::exa>;
using FloatExaseconds = std::chrono::duration<float, std::exa>;
using Attoseconds = std::chrono::duration<std::int64_t, std::atto>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Deadlines that have passed, made in every way. In a fiber.
std::vector<Deadline> passed() {
  return {Deadline::at_ns(kMin),
          Deadline::at_ns(kMin + 1),
          Deadline::at_ns(-1),
          Deadline::at_ns(0),
          Deadline::after_ns(kMin),
          Deadline::after_coarsely_ns(kMin),
          Deadline::after(0ns),
          Deadline::after(-1ns),
          Deadline::after(std::chrono::nanoseconds::min()),
          Deadline::after(std::chrono::hours::min()),
          Deadline::after(-std::chrono::hours::max()),
          Deadline::after_coarsely(std::chrono::hours::min()),
          Deadline::after(Seconds(-kInfinity)),
          Deadline::after(Seconds(-1e300)),
          Deadline::after(Seconds(-0.0)),
          Deadline::after(FloatHours(-std::numeric_limits<float>::max())),
          Deadline::after(LongSeconds(-std::numeric_limits<long double>::infinity())),
          Deadline::after(Frames::min()),
          Deadline::after(UnsignedDays(0)),
          Deadline::after(Exaseconds(-1)),
          Deadline::after(Exaseconds(0)),
          Deadline::after_coarsely(Exaseconds::min()),
          Deadline::after(FloatExaseconds(-1)),
          Deadline::after(Attoseconds(-1)),
          Deadline::after(Attoseconds::min())};
}

/// Deadlines that no test lives to see.
std::vector<Deadline> far() {
  return {Deadline::never(),
          Deadline::at_ns(kMax - 1),
          Deadline::after_ns(kMax),
          Deadline::after_ns(kMax - 1),
          Deadline::after_coarsely_ns(kMax - 1),
          Deadline::after(std::chrono::nanoseconds::max()),
          Deadline::after(std::chrono::hours::max()),
          Deadline::after_coarsely(std::chrono::hours::max()),
          Deadline::after(std::chrono::hours(24 * 365 * 100)),
          Deadline::after(Seconds(kInfinity)),
          Deadline::after(Seconds(kNan)),
          Deadline::after(Seconds(1e300)),
          Deadline::after(FloatHours(std::numeric_limits<float>::max())),
          Deadline::after(LongSeconds(std::numeric_limits<long double>::infinity())),
          Deadline::after(Frames::max()),
          Deadline::after(UnsignedDays(std::numeric_limits<std::uint64_t>::max())),
          Deadline::after(Exaseconds(1)),
          Deadline::after_coarsely(Exaseconds::max()),
          Deadline::after(FloatExaseconds(1e-3F))};
}

struct Call {
  std::string name;
  std::function<Result<void>(Deadline)> wait;
};

Result<void> outcome_of(const weft::io::Progress& transfer) {
  if (!transfer) return transfer.error();
  return {};
}

template <class T>
Result<void> outcome_of(const Result<T>& result) {
  if (!result) return result.error();
  return {};
}

/// What nobody ever does anything for: whoever waits here waits for the deadline.
class World {
 public:
  World() {
    weft::yield();  // the blocker has everything now
    const auto full = std::as_bytes(std::span(block));
    // Twice: a deadline that has passed may end a write that need not wait.
    for (int failures = 0; failures < 2;)
      failures = stream.write_some_until(full, Deadline::after(0ns)) ? 0 : failures + 1;
  }
  ~World() {
    release.count_down();
    blocker.join_uncancellable();
  }

  std::vector<Call> calls() {
    std::vector<Call> all = waits();
    for (auto& call : sockets()) all.push_back(std::move(call));
    return all;
  }

 private:
  // A sleep succeeds when its time has come: told apart from an end by others here.
  static Result<void> slept(const Result<void>& sleep) {
    if (sleep) return Errc::timed_out;
    return sleep.error();
  }

  std::vector<Call> waits() {
    return {
        {"sleep_until", [](Deadline until) { return slept(weft::sleep_until(until)); }},
        {"with_deadline",
         [](Deadline until) { return weft::with_deadline(until, [] { return weft::sleep(24h); }); }},
        {"CancelScope",
         [](Deadline until) {
           weft::CancelScope scope(until);
           return weft::sleep(24h);
         }},
        {"select",
         [](Deadline until) {
           bool after = false;
           if (!weft::select(weft::after(until, [&] { after = true; }))) return Result<void>(Errc::cancelled);
           return after ? Result<void>(Errc::timed_out) : Result<void>();
         }},
        {"receive_until", [this](Deadline until) { return outcome_of(empty.receive_until(until)); }},
        {"send_until", [this](Deadline until) { return empty.send_until(1, until); }},
        {"join_until",
         [this](Deadline until) {
           // The handle is the blocker's: joining it does not end before `release`.
           return blocker.join_until(until);
         }},
        {"Mutex", [this](Deadline until) { return locked.lock_until(until); }},
        {"SharedMutex::lock", [this](Deadline until) { return held.lock_until(until); }},
        {"SharedMutex::lock_shared", [this](Deadline until) { return held.lock_shared_until(until); }},
        {"Semaphore", [this](Deadline until) { return none.acquire_until(until); }},
        {"Latch", [this](Deadline until) { return release.wait_until(until); }},
        {"WaitGroup", [this](Deadline until) { return group.wait_until(until); }},
        {"call_once", [this](Deadline until) { return weft::call_once_until(once, until, [] {}); }},
        {"ConditionVariable",
         [this](Deadline until) {
           std::unique_lock lock(free);
           return condition.wait_until(lock, until, [] { return false; });
         }},
    };
  }

  std::vector<Call> sockets() {
    return {
        {"accept", [this](Deadline until) { return outcome_of(quiet.accept_until(until)); }},
        {"read_some", [this](Deadline until) { return outcome_of(stream.read_some_until(buffer, until)); }},
        {"read_some of several",
         [this](Deadline until) {
           const std::span<std::byte> several[] = {buffer, buffer};
           return outcome_of(stream.read_some_until(several, until));
         }},
        {"read_exact", [this](Deadline until) { return outcome_of(stream.read_exact_until(buffer, until)); }},
        {"wait_readable", [this](Deadline until) { return stream.wait_readable(until); }},
        {"write_some",
         [this](Deadline until) {
           return outcome_of(stream.write_some_until(std::as_bytes(std::span(block)), until));
         }},
        {"write_all",
         [this](Deadline until) {
           return outcome_of(stream.write_all_until(std::as_bytes(std::span(block)), until));
         }},
        {"write_all of several",
         [this](Deadline until) {
           const std::span<const std::byte> several[] = {std::as_bytes(std::span(block)),
                                                         std::as_bytes(std::span(block))};
           return outcome_of(stream.write_all_until(several, until));
         }},
        {"write_then_read, the write",
         [this](Deadline until) {
           return outcome_of(
               stream.write_then_read_some_until(std::as_bytes(std::span(block)), buffer, {.write = until}));
         }},
        {"write_then_read, the read",
         [this](Deadline until) {
           return outcome_of(
               other.write_then_read_some_until(std::as_bytes(std::span("x", 1)), buffer, {.read = until}));
         }},
        {"wait_writable", [this](Deadline until) { return stream.wait_writable(until); }},
    };
  }

  std::string block = std::string(1 << 16, 'x');
  std::array<std::byte, 16> buffer{};
  weft::net::TcpListener quiet = weft::net::TcpListener::bind("127.0.0.1:0").value();
  weft::net::TcpListener listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  weft::net::TcpStream stream = weft::net::TcpStream::connect(listener.local_address().value()).value();
  weft::net::TcpStream peer = listener.accept().value();
  weft::net::TcpStream other = weft::net::TcpStream::connect(listener.local_address().value()).value();
  weft::net::TcpStream other_peer = listener.accept().value();
  weft::Channel<int> empty;
  weft::Mutex locked;
  weft::Mutex free;
  weft::SharedMutex held;
  weft::Semaphore none{0};
  weft::WaitGroup group{1};
  weft::ConditionVariable condition;
  weft::Once once;
  weft::Latch release{1};
  weft::JoinHandle<void> blocker = weft::spawn([this] {
    const std::scoped_lock locks(locked, held);
    weft::call_once(once, [this] { release.wait_uncancellable(); });
  });
};

TEST(ExtremeDeadlines, APassedOneEndsEveryWaitAndStopsNoTimer) {
  stranger::in_fiber([] {
    World world;
    for (const Call& call : world.calls()) {
      for (const Deadline deadline : passed()) {
        EXPECT_EQ(call.wait(deadline).error(), Errc::timed_out) << call.name << " " << deadline.time_ns();
        ASSERT_TRUE(weft::sleep(10us)) << "the timers of the loop go on";
      }
    }
  });
}

TEST(ExtremeDeadlines, AFarOneEndsNoWait) {
  stranger::in_fiber([] {
    World world;
    for (const Call& call : world.calls()) {
      for (const Deadline deadline : far()) {
        auto waiter = weft::spawn([&] { return call.wait(deadline); });
        ASSERT_TRUE(weft::sleep(10us));
        EXPECT_FALSE(waiter.done()) << call.name << " " << deadline.time_ns();
        waiter.cancel();
        EXPECT_EQ(waiter.join_uncancellable().error(), Errc::cancelled)
            << call.name << " " << deadline.time_ns();
      }
    }
  });
}

// Attoseconds of an int64_t are nine seconds at most: both ends are exact.
TEST(ExtremeDeadlines, AnyPeriodIsConverted) {
  stranger::in_fiber([] {
    const auto is = [](auto duration, std::int64_t ns) {
      const Deadline before = Deadline::after_ns(ns);
      const Deadline deadline = Deadline::after(duration);
      return before <= deadline && deadline <= Deadline::after_ns(ns);
    };
    EXPECT_TRUE(is(Attoseconds::max(), 9'223'372'036));
    EXPECT_TRUE(is(Frames(90), 3'000'000'000));
    EXPECT_TRUE(is(UnsignedDays(2), 172'800'000'000'000));
    EXPECT_TRUE(is(Seconds(2.5), 2'500'000'000));
    EXPECT_TRUE(is(FloatHours(0.5F), 1'800'000'000'000));
  });
}

TEST(ExtremeDeadlines, OneFiberThatAsksForThePastDoesNotStopTheSleepOfAnother) {
  stranger::in_fiber([] {
    auto past = weft::spawn([] { return weft::sleep(std::chrono::nanoseconds::min()); });
    EXPECT_TRUE(weft::sleep(1ms));
    EXPECT_TRUE(past.join_uncancellable());
  });
}

TEST(ExtremeDeadlines, DurationsEndASleepAtOnceOrNever) {
  stranger::in_fiber([] {
    EXPECT_TRUE(weft::sleep(std::chrono::nanoseconds::min()));
    EXPECT_TRUE(weft::sleep(std::chrono::hours::min()));
    EXPECT_TRUE(weft::sleep(Seconds(-kInfinity)));
    EXPECT_TRUE(weft::sleep(Frames::min()));
    EXPECT_TRUE(weft::sleep(UnsignedDays(0)));
    const auto never_ends = [](auto duration) {
      auto sleeper = weft::spawn([duration] { return weft::sleep(duration); });
      EXPECT_TRUE(weft::sleep(1ms));
      sleeper.cancel();
      EXPECT_EQ(sleeper.join_uncancellable().error(), Errc::cancelled);
    };
    never_ends(std::chrono::nanoseconds::max());
    never_ends(std::chrono::hours::max());
    never_ends(Seconds(kInfinity));
    never_ends(Seconds(kNan));
    never_ends(Frames::max());
    EXPECT_EQ(weft::with_timeout(Seconds(-kInfinity), [] { return weft::sleep(24h); }).error(),
              Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(std::chrono::hours::min(), [] { return weft::sleep(24h); }).error(),
              Errc::timed_out);
    EXPECT_TRUE(weft::with_timeout(Seconds(kNan), [] { return weft::sleep(1us); }));
  });
}

TEST(ExtremeDeadlines, PlainThreadsHoldThemToo) {
  weft::Channel<int> empty;
  weft::Semaphore none(0);
  for (const Deadline deadline : passed()) {
    EXPECT_EQ(empty.receive_until(deadline).error(), Errc::timed_out) << deadline.time_ns();
    EXPECT_EQ(none.acquire_until(deadline).error(), Errc::timed_out) << deadline.time_ns();
  }
}

TEST(ExtremeDeadlines, AConnectThatHasToWaitEndsAtOnce) {
  stranger::in_fiber([] {
    auto listener = weft::net::TcpListener::bind("127.0.0.1:0", {.backlog = 0}).value();
    const auto address = listener.local_address().value();
    const auto queued = weft::net::TcpStream::connect(address).value();
    for (const Deadline deadline : passed())
      EXPECT_EQ(weft::net::TcpStream::connect(address, deadline).error(), Errc::timed_out)
          << deadline.time_ns();
    EXPECT_TRUE(weft::sleep(10us));
  });
}

TEST(ExtremeDeadlines, AServerThatIsStoppedInThePastHasStopped) {
  for (const bool far_away : {false, true}) {
    stranger::in_fiber([far_away] {
      for (const Deadline deadline : far_away ? far() : passed()) {
        weft::http::Server server;
        weft::Latch entered(1);
        weft::Latch leave(1);
        server.get("/", [&](const weft::http::Request&, weft::http::Response& response) {
          entered.count_down();
          if (far_away)
            leave.wait_uncancellable();
          else
            EXPECT_EQ(weft::sleep(24h).error(), Errc::cancelled);
          response.text("done");
        });
        auto client = weft::net::TcpStream::connect(server.start("127.0.0.1:0").value()).value();
        EXPECT_TRUE(client.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        entered.wait_uncancellable();
        server.stop(deadline);
        EXPECT_TRUE(weft::sleep(10us));
        leave.count_down();
        EXPECT_TRUE(client.close());
        EXPECT_TRUE(server.wait()) << deadline.time_ns();
      }
    });
  }
}

}  // namespace
