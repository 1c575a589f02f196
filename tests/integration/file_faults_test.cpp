// SPDX-License-Identifier: Apache-2.0
// What calls on files say when the kernel refuses, for each errno, by each way.
#include "support/any_context.hpp"
#include "support/files.hpp"
#include "sys/fault.hpp"

#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/file.hpp>
#include <weft/fs/whole_file.hpp>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

namespace weft::test {
namespace {

using fs::File;
using sys::Call;
using sys::FaultPlan;

std::error_code kernel_error(int value) { return {value, std::system_category()}; }

class FileFaults : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (!is_possible(kFileWays[GetParam()])) GTEST_SKIP() << "no io_uring here";
  }
  template <class Body>
  void run(Body body) {
    AnyContext context(AnyContextKind::kParallel2);
    context.spawn(body).join_uncancellable();
  }
  Call read_call() const { return fs::ways().at_once ? Call::pread_now : Call::pread; }

  ForcedWay forced{kFileWays[GetParam()].ways};
};

TEST_P(FileFaults, EachErrorIsTheCallsAndNamesThePath) {
  struct Case {
    Call call;
    std::function<std::pair<std::error_code, std::string>(File&, const std::string&)> make;
  };
  const auto outcome = [](const auto& result) { return std::pair(result.error(), result.message()); };
  const std::vector<Case> cases = {
      {Call::pwrite, [&](File& file, auto&) { return outcome(file.pwrite("text", 0)); }},
      {Call::fsync, [&](File& file, auto&) { return outcome(file.sync()); }},
      {Call::fsync, [&](File& file, auto&) { return outcome(file.sync_data()); }},
      {Call::truncate, [&](File& file, auto&) { return outcome(file.truncate(1)); }},
      {Call::status, [&](File& file, auto&) { return outcome(file.status()); }},
      {Call::file_lock, [&](File& file, auto&) { return outcome(file.lock()); }},
      {Call::open, [&](File&, auto& path) { return outcome(File::open(path)); }},
      {Call::status, [&](File&, auto& path) { return outcome(fs::status(path)); }},
      {Call::rename, [&](File&, auto& path) { return outcome(fs::rename(path, path + "2")); }},
      {Call::unlink, [&](File&, auto& path) { return outcome(fs::remove(path)); }},
      {Call::make_directory, [&](File&, auto& path) { return outcome(fs::create_directory(path + "d")); }},
      {Call::pwrite, [&](File&, auto& path) { return outcome(fs::write_file(path, "text")); }},
      {Call::fsync, [&](File&, auto& path) { return outcome(fs::write_file(path, "text")); }},
      {Call::rename, [&](File&, auto& path) { return outcome(fs::write_file(path, "text")); }},
      {Call::close, [&](File&, auto& path) { return outcome(fs::write_file(path, "text")); }},
      {Call::chmod, [&](File&, auto& path) { return outcome(fs::write_file(path, "text")); }},
      {Call::pwrite,
       [&](File&, auto& path) {
         FaultPlan faults;
         faults.fail(Call::copy_range, EXDEV, {.times = sys::FaultRange::kAlways});
         return outcome(fs::copy_file(path, path + "c"));
       }},
      {Call::copy_range, [&](File&, auto& path) { return outcome(fs::copy_file(path, path + "c")); }},
      {Call::read_directory,
       [&](File&, auto& path) { return outcome(fs::read_directory(path.substr(0, path.rfind('/')))); }},
  };
  run([&] {
    const fs::TemporaryDirectory place = fs::TemporaryDirectory::create().value();
    const std::string path = place.path() + "/file";
    ASSERT_TRUE(fs::write_file(path, "before"));
    for (std::size_t i = 0; i < cases.size(); ++i) {
      for (const int error : std::vector<int>{EIO, ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EROFS, EACCES}) {
        File file = File::open(path, {.access = fs::Access::kReadWrite}).value();
        const std::size_t before = open_descriptors();
        {
          FaultPlan faults;
          faults.fail(cases[i].call, error);
          const auto [got, text] = cases[i].make(file, path);
          EXPECT_EQ(got, kernel_error(error)) << "case " << i;
          EXPECT_NE(text.find(place.path()), std::string::npos) << text;
          EXPECT_EQ(faults.applied(), 1u);
        }
        EXPECT_EQ(open_descriptors(), before) << "case " << i;
        EXPECT_EQ(fs::read_file(path, 100).value().substr(0, 2), i == 0 ? "be" : "be");
      }
    }
  });
}

TEST_P(FileFaults, AReadThatFailsHasMovedNothing) {
  run([&] {
    const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
    File file = File::open(temporary.path(), {.access = fs::Access::kReadWrite}).value();
    ASSERT_TRUE(file.pwrite("0123456789", 0));
    for (const int error : std::vector<int>{EIO, ENOMEM, EISDIR, EINVAL, ENXIO}) {
      FaultPlan faults;
      faults.fail(read_call(), error);
      char part[4];
      const auto n = file.read_some(part);
      EXPECT_EQ(n.error(), kernel_error(error));
      EXPECT_EQ(n.message().substr(0, 8), "reading ");
      EXPECT_EQ(file.position(), 0u);
    }
    FaultPlan faults;
    faults.shorten(read_call(), 3);
    faults.fail(Call::pread, EIO);
    faults.fail(Call::pread_now, EIO);
    char part[10];
    const auto read = file.pread_exact(part, 0);
    EXPECT_EQ(read.bytes(), 3u);
    EXPECT_EQ(read.error(), kernel_error(EIO));
  });
}

TEST_P(FileFaults, ShortWritesGoOnAndTellHowMuchGotThrough) {
  run([&] {
    const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
    File file = File::open(temporary.path(), {.access = fs::Access::kReadWrite}).value();
    const std::string text = file_pattern(10'000);
    {
      FaultPlan faults;
      faults.shorten(Call::pwrite, 7, {.times = 5});
      EXPECT_EQ(file.write_all(text).value(), text.size());
      EXPECT_EQ(faults.applied(), 5u);
    }
    EXPECT_EQ(fs::read_file(temporary.path(), 100'000).value(), text);
    for (const int error : std::vector<int>{ENOSPC, EDQUOT, EIO, EFBIG}) {
      FaultPlan faults;
      faults.shorten(Call::pwrite, 100, {.times = 3});
      faults.fail(Call::pwrite, error);
      file.set_position(0);
      const io::Progress written = file.write_all(text);
      EXPECT_EQ(written.bytes(), 300u);
      EXPECT_EQ(written.error(), kernel_error(error));
      EXPECT_EQ(file.position(), 300u) << "the next write goes on there";
    }
    FaultPlan faults;
    faults.shorten(Call::pwrite, 1'000);
    faults.fail(Call::pwrite, ENOSPC);
    const io::Progress whole = fs::write_file(temporary.path(), text);
    EXPECT_EQ(whole.bytes(), 1'000u);
    EXPECT_EQ(whole.error(), kernel_error(ENOSPC));
    EXPECT_EQ(fs::read_file(temporary.path(), 100'000).value(), text) << "as it was";
  });
}

TEST_P(FileFaults, AnInterruptionIsNoError) {
  run([&] {
    FaultPlan faults;
    for (const Call call :
         std::vector<Call>{Call::open, Call::pwrite, Call::pread, Call::pread_now, Call::fsync,
                           Call::truncate, Call::status, Call::rename, Call::unlink, Call::make_directory,
                           Call::read_directory, Call::file_lock, Call::copy_range, Call::chmod})
      faults.fail(call, EINTR, {.times = 2});
    const fs::TemporaryDirectory place = fs::TemporaryDirectory::create().value();
    const std::string path = place.path() + "/f";
    EXPECT_EQ(fs::write_file(path, "text").value(), 4u);
    EXPECT_EQ(fs::write_file(path, "text2").value(), 5u);
    EXPECT_EQ(fs::read_file(path, 10).value(), "text2");
    EXPECT_EQ(fs::copy_file(path, path + "2").value(), 5u);
    File file = File::open(path, {.access = fs::Access::kReadWrite}).value();
    EXPECT_TRUE(file.lock());
    EXPECT_TRUE(file.truncate(1));
    EXPECT_EQ(fs::read_directory(place.path()).value().size(), 2u);
    EXPECT_EQ(fs::remove_all(place.path() + "/f").value(), 1u);
  });
}

TEST_P(FileFaults, AFileIsClosedAlsoWithoutAThreadForIt) {
  run([&] {
    const fs::TemporaryFile temporary = fs::TemporaryFile::create().value();
    const std::size_t before = open_descriptors();
    File file = File::open(temporary.path(), {.access = fs::Access::kWrite}).value();
    FaultPlan faults;
    faults.fail(Call::thread, EAGAIN, {.times = sys::FaultRange::kAlways});
    EXPECT_TRUE(file.close());
    EXPECT_EQ(open_descriptors(), before);
  });
}

INSTANTIATE_TEST_SUITE_P(Ways, FileFaults, testing::Range<std::size_t>(0, kFileWays.size()),
                         [](const auto& test) { return std::string(kFileWays[test.param].name); });

}  // namespace
}  // namespace weft::test
