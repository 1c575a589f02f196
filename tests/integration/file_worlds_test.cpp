// SPDX-License-Identifier: Apache-2.0
// The simulated file system says what the kernel's does: one script in both worlds, each answer compared. And
// what only a simulation has: a disk that is full, that takes its time, and is the same each time.
#include "support/any_context.hpp"
#include "support/files.hpp"
#include "support/sim_context.hpp"
#include "sys/fault.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/file.hpp>
#include <weft/fs/whole_file.hpp>
#include <weft/this_fiber.hpp>

#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using fs::Access;
using fs::File;
using fs::Replace;

/// What a program was told, a line for each call; its directory is not in it.
class Answers {
 public:
  explicit Answers(std::string place) : place_(std::move(place)) {}

  std::string operator/(std::string_view name) const { return place_ + "/" + std::string(name); }

  template <class T>
  void add(const Result<T>& result) {
    add_text(result ? "success" : result.message());
  }
  void add(const Result<std::size_t>& result) {
    add_text(result ? std::to_string(*result) : result.message());
  }
  void add(const Result<std::string>& result) { add_text(result ? *result : result.message()); }
  void add(const io::Progress& progress) {
    add_text(std::to_string(progress.bytes()) + " " + progress.message());
  }
  void add_text(std::string text) {
    for (std::size_t at = 0; (at = text.find(place_)) != std::string::npos;)
      text.replace(at, place_.size(), "@");
    lines.push_back(std::move(text));
  }

  std::vector<std::string> lines;

 private:
  const std::string place_;
};

void open_and_move(Answers& is) {
  constexpr fs::OpenOptions kNew{.access = Access::kReadWrite, .create = true, .exclusive = true};
  is.add(File::open(is / "f"));
  File file = File::open(is / "f", kNew).value();
  is.add(File::open(is / "f", kNew));
  is.add(file.write_all("0123456789"));
  is.add(file.pwrite("XY", 15));
  is.add(fs::read_file(is / "f", 100));
  is.add(fs::read_file(is / "f", 16));
  char part[4];
  is.add(file.pread(part, 2));
  is.add(file.pread(part, 15));
  is.add(file.pread(part, 17));
  is.add(file.pread(part, ~std::uint64_t{0}));
  is.add(file.truncate(3));
  is.add(file.truncate(~std::uint64_t{0}));
  is.add(file.sync());
  is.add(file.sync_data());
  is.add(fs::read_file(is / "f", 100));
  File appending = File::open(is / "f", {.access = Access::kWrite, .append = true}).value();
  is.add(appending.write_all("end"));
  is.add(appending.read_some(part));
  is.add(File::open(is / "f").value().write_all("x"));
  is.add(fs::read_file(is / "f", 100));
  is.add_text(std::to_string(file.status().value().size) + " " + std::to_string(file.status().value().links));
  is.add(fs::remove(is / "f"));
  is.add_text(std::to_string(file.status().value().links));
  file.set_position(0);
  is.add(file.read_some(part));
  is.add(file.close());
  is.add(File::create(is / "no/f"));
  is.add(File::create(is / std::string(256, 'n')));
  is.add(File::create(is / "f/"));
  is.add(File::create_unnamed(is / "").value().write_all("hidden"));
  is.add(File::create_unnamed(is / "no"));
}

void change_names(Answers& is) {
  is.add(fs::create_directory(is / "d"));
  is.add(fs::create_directory(is / "d"));
  is.add(fs::create_directories(is / "d/e//f/"));
  is.add(fs::create_directory(is / "x/y"));
  is.add(fs::write_file(is / "d/one", "1"));
  is.add(fs::write_file(is / "d/one", "eins"));
  is.add(fs::write_file(is / "d", "text"));
  is.add(fs::write_file(is / "d/e/../two", "2"));
  is.add(fs::create_directories(is / "d/one/x"));
  is.add(fs::rename(is / "d/one", is / "d/two", Replace::kNo));
  is.add(fs::rename(is / "d/one", is / "d/two"));
  is.add(fs::rename(is / "d/one", is / "d/two"));
  is.add(fs::rename(is / "d/two", is / "d/e"));
  is.add(fs::rename(is / "d/e", is / "d/two"));
  is.add(fs::rename(is / "d", is / "d/e/g"));
  is.add(fs::rename(is / "d/e", is / "d/g"));
  is.add(fs::rename(is / "d/g", is / "d/g"));
  is.add(fs::copy_file(is / "d/two", is / "copy"));
  is.add(fs::copy_file(is / "copy", is / "copy"));
  is.add(fs::copy_file(is / "d", is / "copy"));
  is.add(fs::copy_file(is / "copy", is / "d/two", Replace::kNo));
  is.add(fs::read_file(is / "copy", 10));
  is.add(fs::read_file(is / "d", 10));
  is.add(fs::exists(is / "d/two/x"));
  is.add(fs::remove(is / "d"));
  is.add(fs::remove(is / "d/g/f"));
  is.add(fs::remove(is / "d/g/f"));
  is.add(fs::remove(is / "copy/"));
  is.add(fs::remove(is / "."));
  is.add(fs::remove(is / "d/./"));
  is.add(fs::remove(is / "d/.."));
  is.add(fs::remove("/"));
  is.add(fs::rename(is / "d/.", is / "q"));
  is.add(fs::rename(is / "copy", is / "d/.."));
  is.add(fs::create_directory(is / "d/."));
  is.add(fs::exists(is / "x/."));
  is.add(fs::exists(is / "copy/."));
  is.add(fs::exists(""));
  is.add(fs::exists(is / "./d/./g/.."));
  is.add(fs::sync_directory(is / "d"));
  is.add(fs::sync_directory(is / "copy"));
  is.add(fs::read_directory(is / "copy"));
  is.add(fs::read_directory(is / "nowhere"));
  for (int i = 0; i < 2'000; ++i) std::ignore = File::create(is / ("d/" + std::to_string(i)));
  const auto entries = fs::read_directory(is / "d").value();
  is.add_text(std::to_string(entries.size()));
  for (const auto& entry : entries)
    is.add_text(entry.name + " " + std::to_string(static_cast<int>(entry.type)));
  fs::Walk walk = fs::Walk::begin(is / "").value();
  std::size_t walked = 0;
  while (auto entry = walk.next().value()) walked += entry->depth + 1;
  is.add_text(std::to_string(walked));
  is.add(fs::remove_all(is / "d"));
  is.add(fs::remove_all(is / "d"));
  is.add(fs::exists(is / "d"));
}

void lock_files(Answers& is) {
  File one = File::create(is / "l").value();
  File two = File::create(is / "l").value();
  const auto try_both = [&](fs::LockMode mode) {
    for (File* file : {&one, &two}) {
      const Result<bool> locked = file->try_lock(mode);
      is.add_text(locked ? *locked ? "locked" : "busy" : locked.message());
    }
  };
  try_both(fs::LockMode::kShared);
  try_both(fs::LockMode::kExclusive);
  is.add(one.unlock());
  try_both(fs::LockMode::kExclusive);
  is.add(two.lock(fs::LockMode::kShared, 3ms));
  is.add(one.close());
  is.add(two.lock());
  is.add(one.lock());
}

std::vector<std::string> answers_of(AnyContextKind kind, void (*script)(Answers&)) {
  std::vector<std::string> lines;
  AnyContext context(kind);
  context
      .spawn([&] {
        fs::TemporaryDirectory place = fs::TemporaryDirectory::create().value();
        Answers answers(place.path());
        script(answers);
        answers.add(place.remove());
        lines = std::move(answers.lines);
      })
      .join_uncancellable();
  return lines;
}

class FileWorlds : public testing::TestWithParam<void (*)(Answers&)> {};

TEST_P(FileWorlds, AnswerAlike) {
  const std::vector<std::string> kernel = answers_of(AnyContextKind::kConcurrent, GetParam());
  const std::vector<std::string> simulated = answers_of(AnyContextKind::kSimulated, GetParam());
  EXPECT_GT(kernel.size(), 8u);
  ASSERT_EQ(kernel.size(), simulated.size());
  for (std::size_t i = 0; i < kernel.size(); ++i) EXPECT_EQ(simulated[i], kernel[i]) << "answer " << i;
}

INSTANTIATE_TEST_SUITE_P(Scripts, FileWorlds, testing::Values(open_and_move, change_names, lock_files));

TEST(SimulatedFiles, AreNotThoseOfOtherWorlds) {
  SimContext one("one");
  SimContext other("other");
  File file;
  one.spawn([&] {
       ASSERT_TRUE(fs::write_file("/tmp/f", "of one"));
       file = File::open("/tmp/f").value();
       EXPECT_EQ(file.native_handle(), -1);
       EXPECT_EQ(fs::exists("/etc/passwd").value(), false);
     })
      .join_uncancellable();
  char byte[1];
  other
      .spawn([&] {
        EXPECT_EQ(fs::exists("/tmp/f").value(), false);
        EXPECT_FALSE(file.pread(byte, 0));
      })
      .join_uncancellable();
  EXPECT_EQ(file.pread(byte, 0).error(), Errc::unsupported);
  File kernel = File::open("/dev/null").value();
  one.spawn([&] { EXPECT_EQ(kernel.pread(byte, 0).error(), Errc::unsupported); }).join_uncancellable();
}

TEST(SimulatedFiles, FillTheirDisk) {
  SimOptions options;
  options.disk_size_max = 1'000;
  SimContext world("world", options);
  world
      .spawn([] {
        File file = File::create("/tmp/f").value();
        const io::Progress written = file.write_all(file_pattern(1'500));
        EXPECT_EQ(written.bytes(), 1'000u);
        EXPECT_EQ(written.error(), std::error_code(ENOSPC, std::system_category()));
        EXPECT_EQ(fs::write_file("/tmp/g", "x").bytes(), 0u);
        EXPECT_EQ(fs::read_directory("/tmp").value().size(), 1u) << "nothing is left behind";
        EXPECT_TRUE(fs::remove("/tmp/f"));
        EXPECT_EQ(fs::write_file("/tmp/g", "x").error(), std::error_code(ENOSPC, std::system_category()))
            << "it is still open";
        EXPECT_TRUE(file.close());
        EXPECT_TRUE(fs::write_file("/tmp/g", "x"));
      })
      .join_uncancellable();
}

/// Ends with the first error; true: it got through.
bool keep_a_state() {
  for (int i = 0; i < 3; ++i) {
    if (!fs::create_directories("/tmp/a/b")) return false;
    if (!fs::write_file("/tmp/a/b/state", file_pattern(500))) return false;
    if (!fs::read_file("/tmp/a/b/state", 1'000)) return false;
    if (!fs::copy_file("/tmp/a/b/state", "/tmp/a/copy")) return false;
    if (!fs::rename("/tmp/a/copy", "/tmp/a/b/old")) return false;
    if (!fs::read_directory("/tmp/a/b")) return false;
    if (!fs::remove_all("/tmp/a/b/old")) return false;
  }
  return true;
}

// The program is cancelled at its k-th suspension, for every k until it gets through.
TEST(SimulatedFiles, BearACancelAtEachSuspension) {
  bool through = false;
  for (int k = 0; !through; ++k) {
    ASSERT_LT(k, 5'000);
    SimOptions options = SimOptions::rough(static_cast<std::uint64_t>(k) + 1);
    options.disk_latency_min_ns = 1;
    SimContext world("world", options);
    through = world
                  .spawn([k] {
                    auto program = spawn([] { return keep_a_state(); });
                    for (int i = 0; i < k && !program.done(); ++i) std::ignore = sleep(100us);
                    program.cancel();
                    const bool done = program.join_uncancellable();
                    const auto state = fs::read_file("/tmp/a/b/state", 1'000);
                    EXPECT_TRUE(!state || *state == file_pattern(500)) << "half of a file";
                    if (const auto names = fs::read_directory("/tmp/a/b")) {
                      for (const auto& entry : *names) EXPECT_NE(entry.name[0], '.') << "left behind";
                    }
                    return done;
                  })
                  .join_uncancellable();
  }
}

}  // namespace
}  // namespace weft::test
