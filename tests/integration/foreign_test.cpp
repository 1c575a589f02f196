// SPDX-License-Identifier: Apache-2.0
// Descriptors that weft does not own, in each kind of context, under each strategy: what a registration
// costs, that it moves between contexts, and what a kernel that refuses leaves behind.
#include "support/any_context.hpp"
#include "support/sockets.hpp"
#include "sys/fault.hpp"

#include <weft/io/wait.hpp>
#include <weft/this_fiber.hpp>

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using io::Interest;
using sys::Call;

constexpr Interest kEither = Interest::kReadable | Interest::kWritable;

/// An eventfd: readable while its count is not 0, writable unless the count is at its end.
class Event {
 public:
  Event() : fd_(::eventfd(0, EFD_CLOEXEC)) { EXPECT_GE(fd_, 0); }
  ~Event() { ::close(fd_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  int fd() const { return fd_; }
  void add(std::uint64_t count) const { EXPECT_EQ(::write(fd_, &count, sizeof count), 8); }
  void add_all_it_takes() const { add(~std::uint64_t{0} - 1); }
  void take() const {
    std::uint64_t count = 0;
    EXPECT_EQ(::read(fd_, &count, sizeof count), 8);
  }

 private:
  const int fd_;
};

class ForeignInAnyContext : public InAnyContext {};

TEST_P(ForeignInAnyContext, EachEdgeWakesAndALevelIsToldAgain) {
  run([&] {
    const Event event;
    io::Registration kept;
    if (GetParam().kind == AnyContextKind::kSimulated) {
      EXPECT_EQ(kept.attach(event.fd()).error(), Errc::unsupported);
      EXPECT_EQ(io::wait(event.fd(), Interest::kReadable).error(), Errc::unsupported);
      return;
    }
    ASSERT_TRUE(kept.attach(event.fd()));
    for (int i = 0; i < 50; ++i) {
      auto setter = spawn([&] { event.add(1); });
      EXPECT_TRUE(kept.wait(Interest::kReadable).value().readable);
      EXPECT_TRUE(kept.wait(kEither).value().readable) << "nobody has taken it";
      event.take();
      setter.join_uncancellable();
      EXPECT_EQ(kept.wait(Interest::kReadable, Deadline::at_ns(1)).error(), Errc::timed_out);
      event.add_all_it_takes();
      auto taker = spawn([&] { event.take(); });
      EXPECT_TRUE(io::wait(event.fd(), Interest::kWritable).value().writable);
      taker.join_uncancellable();
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Contexts, ForeignInAnyContext, all_contexts(),
                         [](const auto& of) { return name_of(of.param); });

// What it costs, in the default strategy: nothing but looking, once it is registered.
TEST(Foreign, AKeptRegistrationCostsNoEpollCtlAWait) {
  constexpr std::uint64_t kWaits = 100;
  ConcurrentContext context("foreign");
  context
      .spawn([] {
        const Event event;
        io::Registration kept;
        ASSERT_TRUE(kept.attach(event.fd()));
        const auto round = [&] {
          auto setter = spawn([&] { event.add(1); });
          EXPECT_TRUE(kept.wait(Interest::kReadable));
          event.take();
          setter.join_uncancellable();
        };
        round();
        const sys::CallCounter counter;
        for (std::uint64_t i = 0; i < kWaits; ++i) round();
        const sys::CallCounts counts = counter.counts();
        EXPECT_EQ(counts.epoll_ctl(), 0u);
        EXPECT_EQ(counts[Call::fcntl], 0u);
        EXPECT_EQ(counts[Call::poll], 2 * kWaits) << "before it waits, and after";
      })
      .join_uncancellable();
}

TEST(Foreign, ASingleWaitCostsAPairOfEpollCtl) {
  ConcurrentContext context("foreign");
  context
      .spawn([] {
        const Event event;
        const sys::CallCounter counter;
        auto setter = spawn([&] { event.add(1); });
        EXPECT_TRUE(io::wait(event.fd(), Interest::kReadable));
        setter.join_uncancellable();
        const sys::CallCounts counts = counter.counts();
        EXPECT_EQ(counts[Call::epoll_add], 1u);
        EXPECT_EQ(counts[Call::epoll_remove], 1u);
        EXPECT_EQ(counts[Call::fcntl], 1u);
        EXPECT_EQ(counts[Call::close], 1u);
      })
      .join_uncancellable();
}

// Contexts that wait by turns hand the registration over, as they do with descriptors of weft's.
TEST(Foreign, MovesBetweenContextsOfAnyStrategies) {
  for (const EventLoopStrategy& here : EventLoopStrategy::named()) {
    for (const EventLoopStrategy& there : {EventLoopStrategy(), EventLoopStrategy::broadcast(), here}) {
      SCOPED_TRACE(here.to_string() + " and " + there.to_string());
      ConcurrentContext one("one", {.strategy = here});
      ConcurrentContext other("other", {.strategy = there});
      const Event event;
      io::Registration kept;
      one.spawn([&] { EXPECT_TRUE(kept.attach(event.fd())); }).join_uncancellable();
      for (int i = 0; i < 4; ++i) {
        ConcurrentContext& waits_in = i % 2 == 0 ? one : other;
        auto waiting = waits_in.spawn([&] { return kept.wait(Interest::kReadable, 1min); });
        event.add(1);
        EXPECT_TRUE(waiting.join_uncancellable().value().readable);
        event.take();
      }
      one.spawn([&] { EXPECT_TRUE(kept.detach()); }).join_uncancellable();
    }
  }
}

TEST(Foreign, WhatTheKernelRefusesIsAnErrorAndLeavesNothing) {
  struct Case {
    Call call;
    int error;
  };
  ConcurrentContext context("foreign");
  context
      .spawn([] {
        const Event event;
        for (const Case& of : {Case{Call::fcntl, EMFILE}, Case{Call::epoll_add, ENOSPC},
                               Case{Call::epoll_add, ENOMEM}, Case{Call::poll, ENOMEM}}) {
          SCOPED_TRACE(to_string(of.call));
          const int next_before = ::dup(event.fd());
          ::close(next_before);
          {
            sys::FaultPlan faults;
            faults.fail(of.call, of.error, {.times = 1});
            const Result<io::Ready> waited = io::wait(event.fd(), Interest::kReadable, 10ms);
            EXPECT_EQ(waited.error(), std::error_code(of.error, std::system_category()));
          }
          const int next_after = ::dup(event.fd());
          ::close(next_after);
          EXPECT_EQ(next_after, next_before) << "no number is lost";
          EXPECT_EQ(io::wait(event.fd(), Interest::kReadable, 1ms).error(), Errc::timed_out);
        }
      })
      .join_uncancellable();
}

}  // namespace
}  // namespace weft::test
