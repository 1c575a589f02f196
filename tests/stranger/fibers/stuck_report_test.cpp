// SPDX-License-Identifier: Apache-2.0
// What is said of a fiber that keeps its thread: where it stands in the program, also when it waits inside of
// libc; once for a place and minute; and not at all of contexts that are made so.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRANGER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(STRANGER_TSAN)
constexpr bool kSignalsCome = false;  // TSan holds them back while a thread sleeps
#else
constexpr bool kSignalsCome = true;
#endif

struct Seen {
  std::string context;
  std::vector<void*> backtrace;
};

/// The reports that came while it lives.
class Reports {
 public:
  Reports() {
    weft::set_stuck_report_after(20ms);
    weft::set_stuck_handler([this](const weft::StuckReport& report) {
      const std::scoped_lock lock(lock_);
      seen_.push_back({std::string(report.context), {report.backtrace.begin(), report.backtrace.end()}});
      ++count_;
    });
  }
  ~Reports() {
    weft::set_stuck_handler({});
    weft::set_stuck_report_after(100ms);
  }
  /// Blocks the calling thread until there is one.
  Seen first() {
    while (count_ == 0) std::this_thread::yield();
    const std::scoped_lock lock(lock_);
    return seen_.front();
  }
  std::size_t count() const { return count_; }

 private:
  std::mutex lock_;
  std::vector<Seen> seen_;
  std::atomic<std::size_t> count_{0};
};

/// A return address in the first `size` bytes of the function.
bool passes_through(const Seen& seen, const void* function) {
  for (void* const address : seen.backtrace) {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(function);
    if (offset < 512) return true;
  }
  return false;
}

template <class Function>
void expect_seen_in(Reports& reports, Function* function) {
  EXPECT_TRUE(!kSignalsCome || passes_through(reports.first(), reinterpret_cast<const void*>(function)));
}

std::mutex held;
[[gnu::noinline]] void locks_a_std_mutex() {
  held.lock();
  held.unlock();
  asm volatile("");
}

std::once_flag once;
Reports* awaited = nullptr;
[[gnu::noinline]] void calls_once() {
  std::call_once(once, [] { awaited->first(); });
  asm volatile("");
}

[[gnu::noinline]] void reads(int fd) {
  char byte = 0;
  while (::read(fd, &byte, 1) < 0) {}
  asm volatile("");
}

TEST(StuckReport, ShowsWhoWaitsForAStdMutex) {
  Reports reports;
  std::latch locked(1);
  std::thread holder([&] {
    const std::scoped_lock lock(held);
    locked.count_down();
    reports.first();
  });
  locked.wait();
  stranger::in_fiber([] { locks_a_std_mutex(); });
  holder.join();
  expect_seen_in(reports, &locks_a_std_mutex);
}

TEST(StuckReport, ShowsWhoIsInACallOnce) {
  Reports reports;
  awaited = &reports;
  stranger::in_fiber([] { calls_once(); });
  expect_seen_in(reports, &calls_once);
}

TEST(StuckReport, ShowsWhoIsInABlockingRead) {
  Reports reports;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::thread writer([&] {
    reports.first();
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  });
  stranger::in_fiber([&] { reads(ends[0]); });
  writer.join();
  ::close(ends[0]);
  ::close(ends[1]);
  expect_seen_in(reports, &reads);
}

TEST(StuckReport, DoesNotComeOfAContextThatIsMadeSo) {
  Reports reports;
  stranger::in_fiber([&] {
    weft::ParallelContext computing("computing", {.parallelism = 1, .stuck_report_after = 0ms});
    weft::ConcurrentContext patient("patient", {.stuck_report_after = 1h});
    weft::ConcurrentContext usual("usual");
    std::atomic<bool> end = false;
    const auto spin = [&] {
      while (!end) std::this_thread::yield();
    };
    auto first = computing.spawn(spin);
    auto second = patient.spawn(spin);
    // Kept at least as long as one that is reported.
    usual.spawn([&] { EXPECT_EQ(reports.first().context, "usual"); }).join_uncancellable();
    end = true;
    first.join_uncancellable();
    second.join_uncancellable();
  });
  EXPECT_EQ(reports.first().context, "usual");
}

TEST(StuckReport, OfAContextMayComeEarlierThanElsewhere) {
  Reports reports;
  weft::set_stuck_report_after(0ms);
  stranger::in_fiber([&] {
    weft::ConcurrentContext strict("strict", {.stuck_report_after = 20ms});
    strict.spawn([&] { EXPECT_EQ(reports.first().context, "strict"); }).join_uncancellable();
  });
}

TEST(StuckReport, IsPrintedOnceForAPlace) {
  weft::set_stuck_report_after(20ms);
  testing::internal::CaptureStderr();
  stranger::in_fiber([] {
    weft::ConcurrentContext pool("pool");
    for (int i = 0; i < 5; ++i) {
      const auto end = std::chrono::steady_clock::now() + 60ms;
      pool.spawn(
              [&] {
                while (std::chrono::steady_clock::now() < end) {}
              },
              {.name = "resize"})
          .join_uncancellable();
    }
  });
  const std::string text = testing::internal::GetCapturedStderr();
  weft::set_stuck_report_after(100ms);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("\"resize\"", at)) != text.npos; ++at) ++count;
  EXPECT_LE(count, 1u) << text;
}

}  // namespace
