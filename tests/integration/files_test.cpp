// SPDX-License-Identifier: Apache-2.0
// Files by each way that requests may take, in each kind of context, under each strategy.
#include "support/files.hpp"
#include "support/any_context.hpp"
#include "sys/fault.hpp"
#include "sys/file.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/file.hpp>
#include <weft/fs/whole_file.hpp>
#include <weft/io/copy.hpp>
#include <weft/io/pipe.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <tuple>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using fs::File;
using sys::Call;
using sys::FaultPlan;

class FilesInContexts : public testing::TestWithParam<std::tuple<ContextCase, std::size_t>> {
 protected:
  FileWay way() const { return kFileWays[std::get<1>(GetParam())]; }
  void SetUp() override {
    if (!is_possible(way())) GTEST_SKIP() << "no io_uring here";
  }
  template <class Body>
  void run(Body body) {
    context.spawn(body).join_uncancellable();
  }

  ForcedWay forced{way().ways};
  AnyContext context{std::get<0>(GetParam())};
};

void write_and_check(const std::string& path, std::size_t seed) {
  const std::string text = file_pattern(20'000 + seed * 17).substr(seed);
  ASSERT_EQ(fs::write_file(path, text, {.sync = seed == 0}).value(), text.size());
  File file = File::open(path, {.access = fs::Access::kReadWrite}).value();
  std::string part(1'000, '\0');
  for (std::size_t offset = 0; offset < text.size(); offset += 4'999) {
    const io::Progress read = file.pread_exact(part, offset);
    ASSERT_EQ(part.substr(0, read.bytes()), text.substr(offset, 1'000));
  }
  ASSERT_TRUE(file.pwrite("end", text.size()));
  ASSERT_TRUE(file.truncate(text.size() + 1));
  ASSERT_EQ(file.status().value().size, text.size() + 1);
  ASSERT_TRUE(file.close());
  ASSERT_EQ(fs::read_file(path, 100'000).value(), text + "e");
  ASSERT_TRUE(fs::rename(path, path + "-renamed"));
  ASSERT_EQ(fs::exists(path).value(), false);
}

TEST_P(FilesInContexts, EveryCallDoesItsWorkForManyFibersAtOnce) {
  run([] {
    const fs::TemporaryDirectory place = fs::TemporaryDirectory::create().value();
    const std::size_t before = open_descriptors();
    std::vector<JoinHandle<void>> fibers;
    for (std::size_t i = 0; i < 12; ++i)
      fibers.push_back(spawn([&, i] { write_and_check(place.path() + "/" + std::to_string(i), i); }));
    for (auto& fiber : fibers) fiber.join_uncancellable();
    EXPECT_EQ(fs::read_directory(place.path()).value().size(), 12u);
    EXPECT_LE(open_descriptors(), before + 4) << "at most a ring for each loop";
  });
}

/// Bytes that are not in memory: most reads are under way for a while.
void forget_pages(const File& file) { ::posix_fadvise(file.native_handle(), 0, 0, POSIX_FADV_DONTNEED); }

TEST_P(FilesInContexts, ACancelStormLeavesNothingUnderWay) {
  run([] {
    const fs::TemporaryDirectory place = fs::TemporaryDirectory::create().value();
    const std::string text = file_pattern(256 * 1024);
    ASSERT_TRUE(fs::write_file(place.path() + "/f", text));
    File file = File::open(place.path() + "/f", {.access = fs::Access::kReadWrite}).value();
    for (int round = 0; round < 20; ++round) {
      forget_pages(file);
      std::vector<JoinHandle<void>> fibers;
      for (std::size_t i = 0; i < 8; ++i) {
        fibers.push_back(spawn([&, i] {
          std::vector<char> part(16 * 1024);
          const std::size_t offset = i * part.size();
          const io::Progress read = file.pread_exact(part, offset);
          if (read) {
            EXPECT_EQ(std::string(part.begin(), part.end()), text.substr(offset, part.size()));
          } else {
            EXPECT_EQ(read.error(), Errc::cancelled);
          }
          std::fill(part.begin(), part.end(), '?');
          const io::Progress written = file.pwrite(text.substr(offset, 5'000), offset);
          EXPECT_TRUE(written || written.error() == Errc::cancelled);
          const Result<void> synced = file.sync_data();
          EXPECT_TRUE(synced || synced.error() == Errc::cancelled);
          const Result<fs::FileStatus> status = fs::status(place.path() + "/f");
          EXPECT_TRUE(status || status.error() == Errc::cancelled);
          const auto names = fs::read_directory(place.path());
          EXPECT_TRUE(names || names.error() == Errc::cancelled);
          const auto opened = File::create(place.path() + "/g");
          EXPECT_TRUE(opened || opened.error() == Errc::cancelled);
          const io::Progress whole = fs::write_file(place.path() + "/h" + std::to_string(i), "x");
          EXPECT_TRUE(whole || whole.error() == Errc::cancelled);
          const bool kept = std::all_of(part.begin(), part.end(), [](char byte) { return byte == '?'; });
          EXPECT_TRUE(kept) << "written to after the call had returned";
        }));
      }
      for (std::size_t i = 0; i < fibers.size(); ++i) {
        for (int step = 0; step < round; ++step) yield();
        fibers[i].cancel();
      }
      for (auto& fiber : fibers) fiber.join_uncancellable();
    }
    EXPECT_EQ(fs::read_file(place.path() + "/f", 1 << 20).value(), text);
    for (const auto& entry : fs::read_directory(place.path()).value())
      EXPECT_TRUE(entry.name[0] != '.') << "a file of write_file() was left: " << entry.name;
  });
}

TEST_P(FilesInContexts, DeadlinesEndCallsOrTheyAreDone) {
  run([] {
    const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
    File file = File::open(temporary.path(), {.access = fs::Access::kReadWrite}).value();
    const std::string text = file_pattern(100'000);
    for (int us = 0; us < 60; ++us) {
      const Deadline deadline = Deadline::after(std::chrono::microseconds(us * 3));
      const io::Progress written = file.pwrite(text, 0, deadline);
      EXPECT_TRUE(written ? written.bytes() == text.size() : written.error() == Errc::timed_out);
      const Result<void> synced = file.sync(deadline);
      EXPECT_TRUE(synced || synced.error() == Errc::timed_out);
    }
    ASSERT_TRUE(file.pwrite(text, 0));
    EXPECT_EQ(fs::read_file(temporary.path(), 1 << 20).value(), text);
  });
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FilesInContexts,
                         testing::Combine(kernel_contexts(),
                                          testing::Range<std::size_t>(0, kFileWays.size())),
                         [](const auto& test) {
                           return name_of(std::get<0>(test.param)) + kFileWays[std::get<1>(test.param)].name;
                         });

// sendfile would wait for the disk, with the thread.
TEST(FilesToSockets, AreSentByTheKernelIfTheyAreInMemoryOnly) {
  AnyContext context(AnyContextKind::kParallel2);
  context
      .spawn([] {
        const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
        const std::string text = file_pattern(100'000);
        ASSERT_TRUE(fs::write_file(temporary.path(), text));
        for (const bool in_memory : std::vector<bool>{true, false}) {
          File file = File::open(temporary.path()).value();
          FaultPlan faults;
          if (!in_memory) faults.fail(Call::pread_now, EAGAIN, {.times = sys::FaultRange::kAlways});
          io::Pipe pipe = io::make_pipe().value();
          auto reading = spawn([&] {
            std::string read(text.size(), '\0');
            return pipe.reader.read_exact(read).bytes() == text.size() && read == text;
          });
          const sys::CallCounter counter;
          EXPECT_EQ(io::copy(file, pipe.writer).value(), text.size());
          EXPECT_TRUE(reading.join().value());
          const bool sent = counter.counts()[Call::send_file] != 0;
          EXPECT_EQ(sent, in_memory && sys::is_in_memory(file.native_handle(), 0, 1));
        }
      })
      .join_uncancellable();
}

}  // namespace
}  // namespace weft::test
