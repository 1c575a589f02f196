// SPDX-License-Identifier: Apache-2.0
// Cancellation, deadlines, locks and closing.
#include "stranger/fs/fs.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/file.hpp>
#include <weft/fs/whole_file.hpp>
#include <weft/this_fiber.hpp>

#include <sys/file.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::Place;
using weft::Deadline;
using weft::Errc;
using weft::fs::File;
using weft::fs::LockMode;

TEST(FileWaits, InACancelledScopeNothingIsBegun) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "text");
    File file = File::open(place / "a", {.access = weft::fs::Access::kReadWrite}).value();
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(file.write_all("lost").error(), Errc::cancelled);
    EXPECT_EQ(file.write_all("lost").bytes(), 0u);
    EXPECT_EQ(file.sync().error(), Errc::cancelled);
    EXPECT_EQ(file.truncate(0).error(), Errc::cancelled);
    EXPECT_EQ(file.status().error(), Errc::cancelled);
    EXPECT_EQ(File::open(place / "a").error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::remove(place / "a").error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::rename(place / "a", place / "b").error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::create_directory(place / "d").error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::read_directory(place.path()).error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::read_file(place / "a", 100).error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::write_file(place / "a", "lost").error(), Errc::cancelled);
    EXPECT_EQ(weft::fs::copy_file(place / "a", place / "b").error(), Errc::cancelled);
    EXPECT_EQ(content(place / "a"), "text");
    EXPECT_TRUE(file.close()) << "a file is closed in any case";
  });
}

TEST(FileWaits, AfterItsDeadlineNothingIsBegun) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    const Deadline past = Deadline::after(-1s);
    EXPECT_EQ(file.pwrite("lost", 0, past).error(), Errc::timed_out);
    EXPECT_EQ(file.write_some_until("lost", past).error(), Errc::timed_out);
    EXPECT_EQ(file.sync(past).error(), Errc::timed_out);
    EXPECT_EQ(file.truncate(7, past).error(), Errc::timed_out);
    EXPECT_EQ(weft::fs::write_file(place / "b", "lost", {}, past).error(), Errc::timed_out);
    EXPECT_EQ(File::create(place / "c", 0666, past).error(), Errc::timed_out);
    EXPECT_EQ(content(place / "a"), "");
    const auto names = weft::fs::read_directory(place.path()).value();
    ASSERT_EQ(names.size(), 1u);
    EXPECT_EQ(names[0].name, "a");
  });
}

TEST(FileWaits, ALockIsWaitedFor) {
  in_fiber([] {
    const Place place;
    File one = File::create(place / "a").value();
    File two = File::create(place / "a").value();
    EXPECT_TRUE(one.lock());
    EXPECT_FALSE(two.try_lock().value());
    EXPECT_FALSE(two.try_lock(LockMode::kShared).value());
    const auto timed_out = two.lock(LockMode::kExclusive, Deadline::after(1ms));
    EXPECT_EQ(timed_out.error(), Errc::timed_out);
    EXPECT_NE(timed_out.message().find("locking " + place.path()), std::string::npos);
    auto waiting = weft::spawn([&] { return two.lock().has_value(); });
    weft::yield();
    EXPECT_TRUE(one.unlock());
    EXPECT_TRUE(waiting.join().value());
    EXPECT_FALSE(one.try_lock().value());
    EXPECT_TRUE(two.unlock());
    EXPECT_TRUE(one.lock(LockMode::kShared));
    EXPECT_TRUE(two.lock(LockMode::kShared)) << "several together";
    EXPECT_FALSE(two.try_lock(LockMode::kExclusive).value());
  });
}

TEST(FileWaits, ALockOfAnotherProgramCounts) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    File other = File::open(place / "a").value();
    ASSERT_EQ(::flock(other.native_handle(), LOCK_EX), 0);
    EXPECT_FALSE(file.try_lock().value());
    EXPECT_TRUE(other.close());
    EXPECT_TRUE(file.try_lock().value());
  });
}

TEST(FileWaits, ACancelEndsTheWaitForALock) {
  in_fiber([] {
    const Place place;
    File one = File::create(place / "a").value();
    File two = File::create(place / "a").value();
    EXPECT_TRUE(one.lock());
    auto waiting = weft::spawn([&] { return two.lock(); });
    weft::yield();
    waiting.cancel();
    EXPECT_EQ(waiting.join().error(), Errc::cancelled);
    EXPECT_TRUE(one.unlock());
    EXPECT_TRUE(one.try_lock().value()) << "nobody took it";
  });
}

TEST(FileWaits, AFileThatIsClosedEndsTheWaitForItsLock) {
  in_fiber([] {
    const Place place;
    File one = File::create(place / "a").value();
    File two = File::create(place / "a").value();
    EXPECT_TRUE(one.lock());
    auto waiting = weft::spawn([&] { return two.lock(); });
    weft::yield();
    EXPECT_TRUE(two.close());
    EXPECT_EQ(waiting.join().error(), Errc::closed);
  });
}

TEST(FileWaits, CloseWaitsForCallsAndLaterOnesFail) {
  for (std::uint32_t threads = 1; threads <= 4; threads += 3) {
    in_fiber(
        [] {
          const Place place;
          File file = File::create(place / "a").value();
          std::vector<weft::JoinHandle<bool>> writers;
          for (int i = 0; i < 8; ++i) {
            writers.push_back(weft::spawn([&file, i] {
              for (;;) {
                const auto written = file.pwrite("0123456789abcdef", static_cast<std::uint64_t>(i) * 16);
                if (!written) return written.error() == Errc::closed && written.bytes() == 0;
              }
            }));
          }
          for (int i = 0; i < 10; ++i) EXPECT_TRUE(file.sync_data());
          EXPECT_TRUE(file.close());
          for (auto& writer : writers) EXPECT_TRUE(writer.join().value());
          EXPECT_EQ(content(place / "a").size() % 16, 0u);
        },
        threads);
  }
}

}  // namespace
