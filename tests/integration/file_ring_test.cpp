// SPDX-License-Identifier: Apache-2.0
// The ring of a loop: which calls use it, and its races by name (docs/design/files.md). Reading an empty
// pipe stands for a disk that takes its time: it is under way until somebody writes.
#include "event_loop/completion/completion_ring.hpp"
#include "event_loop/event_loop.hpp"
#include "support/any_context.hpp"
#include "support/files.hpp"
#include "support/waiting.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"
#include "sys/pipe.hpp"

#include <weft/blocking.hpp>
#include <weft/cancel_scope.hpp>
#include <weft/fs/file.hpp>

#include <cerrno>
#include <memory>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using fs::File;
using sys::Call;
using sys::FaultPlan;
using Way = CompletionResult::Way;

class FileRing : public InAnyContext {
 protected:
  void SetUp() override {
    if (!sys::FileRing::available()) GTEST_SKIP() << "no io_uring here";
  }
};

/// A read that is under way until somebody answers it.
class SlowFile {
 public:
  SlowFile() : pipe_(sys::create_pipe().value()) {
    EXPECT_TRUE(sys::set_nonblocking(pipe_.read_end.get(), false));
  }
  sys::FileRequest request() const {
    return {.kind = sys::FileRequest::Kind::kRead,
            .fd = pipe_.read_end.get(),
            .count = 1,
            .buffers = &buffer_,
            .offset = -1};
  }
  void answer() const { EXPECT_EQ(::write(pipe_.write_end.get(), "x", 1), 1); }
  char byte() const { return byte_; }

 private:
  sys::Pipe pipe_;
  char byte_ = '?';
  const iovec buffer_{&byte_, 1};
};

std::shared_ptr<CompletionRing> ring_here() { return this_runner()->event_loop->completions(); }

TEST_P(FileRing, AnswersAreReturned) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    ASSERT_NE(ring, nullptr);
    auto opening = spawn_waiting([&] { return ring->perform(slow.request(), Deadline::never()); });
    EXPECT_EQ(ring->size(), 1u);
    slow.answer();
    const CompletionResult result = opening.join_uncancellable();
    EXPECT_EQ(result.way, Way::kAnswered);
    EXPECT_EQ(result.raw, 1);
    EXPECT_EQ(slow.byte(), 'x');
    EXPECT_EQ(ring->size(), 0u);
  });
}

TEST_P(FileRing, ACancelEndsWhatIsUnderWay) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    auto opening = spawn_waiting([&] { return ring->perform(slow.request(), Deadline::never()); });
    opening.cancel();
    const CompletionResult result = opening.join_uncancellable();
    EXPECT_EQ(result.way, Way::kEnded);
    EXPECT_EQ(result.outcome, WaitOutcome::kCancelled);
    slow.answer();
    EXPECT_EQ(slow.byte(), '?') << "nobody reads any more";
    EXPECT_EQ(ring->size(), 0u);
  });
}

TEST_P(FileRing, ADeadlineEndsWhatIsUnderWay) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    const CompletionResult result = ring->perform(slow.request(), Deadline::after(1ms));
    EXPECT_EQ(result.way, Way::kEnded);
    EXPECT_EQ(result.outcome, WaitOutcome::kTimedOut);
    EXPECT_EQ(ring->size(), 0u);
  });
}

// The fiber was cancelled, and is about to say so to the kernel when the answer comes.
TEST_P(FileRing, ACancelThatComesLateTakesTheAnswer) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    FaultPlan faults;
    faults.run(Call::ring_enter,
               [&](int fd) {
                 slow.answer();
                 pollfd answered{.fd = fd, .events = POLLIN, .revents = 0};
                 // Or a sibling has taken it meanwhile.
                 while (ring->size() != 0 && ::poll(&answered, 1, 1) == 0) continue;
               },
               {.skip = 1});
    auto opening = spawn_waiting([&] { return ring->perform(slow.request(), Deadline::never()); });
    opening.cancel();
    const CompletionResult result = opening.join_uncancellable();
    EXPECT_EQ(result.way, Way::kAnswered) << "what has happened is not lost";
    EXPECT_EQ(result.raw, 1);
    EXPECT_EQ(slow.byte(), 'x');
    EXPECT_EQ(faults.applied(), 1u);
    EXPECT_EQ(ring->size(), 0u);
  });
}

// The kernel has no memory for the cancel request: the answer is waited for.
TEST_P(FileRing, ACancelThatIsRefusedWaits) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    FaultPlan faults;
    faults.fail(Call::ring_enter, ENOMEM, {.skip = 1});
    auto opening = spawn_waiting([&] { return ring->perform(slow.request(), Deadline::never()); });
    opening.cancel();
    while (faults.applied() == 0) yield();
    slow.answer();
    const CompletionResult result = opening.join_uncancellable();
    EXPECT_EQ(result.way, Way::kAnswered);
  });
}

TEST_P(FileRing, WhatTheKernelDoesNotTakeIsLeftBehindAsNothing) {
  run([] {
    const SlowFile slow;
    const auto ring = ring_here();
    FaultPlan faults;
    faults.fail(Call::ring_enter, EBUSY, {.times = 3});
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(ring->perform(slow.request(), Deadline::never()).way, Way::kNotTaken);
    EXPECT_EQ(ring->size(), 0u);
    EXPECT_EQ(ring->perform(slow.request(), Deadline::after(1ms)).way, Way::kEnded) << "it works again";
  });
}

TEST_P(FileRing, ThatEndsLetsGoOfWhatIsUnderWay) {
  run([] {
    const SlowFile slow;
    const auto ring = std::make_shared<CompletionRing>(sys::FileRing::create().value());
    auto opening = spawn_waiting([&] { return ring->perform(slow.request(), Deadline::never()); });
    ring->end();
    EXPECT_EQ(opening.join_uncancellable().way, Way::kAgain) << "somewhere else";
    EXPECT_EQ(ring->perform(slow.request(), Deadline::never()).way, Way::kNotTaken);
    EXPECT_EQ(ring->size(), 0u);
  });
}

TEST_P(FileRing, IsUsedByCallsThatTakeTime) {
  run([] {
    const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
    File file = File::open(temporary.path(), {.access = fs::Access::kReadWrite}).value();
    const std::uint64_t calls = default_blocking_pool().counters().started_calls;
    const sys::CallCounter counter;
    ASSERT_TRUE(file.pwrite("text", 0));
    ASSERT_TRUE(file.sync());
    EXPECT_EQ(counter.counts()[Call::ring_enter], 2u);
    char part[4];
    ASSERT_TRUE(file.pread(part, 0));
    EXPECT_EQ(counter.counts()[Call::pread_now], 1u);
    EXPECT_EQ(counter.counts()[Call::ring_enter], 2u) << "bytes in memory are read at once";
    EXPECT_EQ(default_blocking_pool().counters().started_calls, calls) << "no other thread is asked";
  });
}

TEST_P(FileRing, IsReplacedByThePoolWhereItIsRefused) {
  for (const Call refused : std::vector<Call>{Call::ring_create, Call::epoll_add, Call::ring_enter}) {
    AnyContext fresh(GetParam());
    fresh
        .spawn([refused] {
          const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
          FaultPlan faults;
          faults.fail(refused, refused == Call::ring_enter ? EBUSY : EPERM,
                      {.times = sys::FaultRange::kAlways});
          File file = File::open(temporary.path(), {.access = fs::Access::kReadWrite}).value();
          EXPECT_EQ(file.pwrite("text", 0).value(), 4u);
          EXPECT_TRUE(file.sync());
        })
        .join_uncancellable();
  }
}

INSTANTIATE_TEST_SUITE_P(Contexts, FileRing, kernel_contexts(), kind_name);

}  // namespace
}  // namespace weft::test
