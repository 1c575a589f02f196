// SPDX-License-Identifier: Apache-2.0
// Whole files, lines, copies, temporary files.
#include "stranger/fs/fs.hpp"

#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/temporary.hpp>
#include <weft/fs/whole_file.hpp>

#include <cerrno>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::pattern;
using stranger::Place;
using stranger::system_error;
using weft::Errc;
using weft::fs::copy_file;
using weft::fs::Lines;
using weft::fs::read_file;
using weft::fs::TemporaryDirectory;
using weft::fs::TemporaryFile;
using weft::fs::write_file;

std::size_t names_in(const Place& place) { return weft::fs::read_directory(place.path()).value().size(); }

TEST(ReadFile, GivesEveryByteUpToItsLimit) {
  in_fiber([] {
    const Place place;
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 4095, 4096, 4097, 300'000}) {
      const std::string text = pattern(size);
      fill(place / "f", text);
      EXPECT_TRUE(read_file(place / "f", size).value() == text) << size;
      EXPECT_TRUE(read_file(place / "f", SIZE_MAX).value() == text) << size;
      if (size == 0) continue;
      const auto refused = read_file(place / "f", size - 1);
      EXPECT_EQ(refused.error(), Errc::message_too_large);
      EXPECT_NE(refused.message().find(place / "f"), std::string::npos);
    }
    EXPECT_EQ(read_file(place / "x", 10).error(), system_error(ENOENT));
    EXPECT_EQ(read_file(place.path(), 10).error(), system_error(EISDIR));
    EXPECT_EQ(read_file("/proc/self/status", 100'000).value().substr(0, 5), "Name:") << "of no known size";
    EXPECT_EQ(read_file("/dev/zero", 10).error(), Errc::message_too_large) << "endless";
  });
}

TEST(WriteFile, ReplacesAtOnceAndKeepsThePermissions) {
  in_fiber([] {
    const Place place;
    EXPECT_EQ(write_file(place / "f", "one", {.mode = 0640}).value(), 3u);
    EXPECT_EQ(content(place / "f"), "one");
    ASSERT_EQ(::chmod((place / "f").c_str(), 0751), 0);
    weft::fs::File old = weft::fs::File::open(place / "f").value();
    const std::string large = pattern(1'000'000);
    EXPECT_EQ(write_file(place / "f", large).value(), large.size());
    EXPECT_TRUE(content(place / "f") == large);
    EXPECT_EQ(weft::fs::status(place / "f").value().mode, 0751u);
    char text[10];
    EXPECT_EQ(old.read_some(text).value(), 3u) << "who has it open keeps the old one";
    EXPECT_EQ(write_file(place / "f", "", {.sync = false}).value(), 0u);
    EXPECT_EQ(content(place / "f"), "");
    EXPECT_EQ(names_in(place), 1u) << "nothing is left beside it";
  });
}

TEST(WriteFile, LeavesNothingBehindAfterAnError) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(weft::fs::create_directory(place / "d"));
    const auto refused = write_file(place / "d", "text");
    EXPECT_EQ(refused.error(), system_error(EISDIR));
    EXPECT_EQ(refused.bytes(), 0u);
    EXPECT_EQ(write_file(place / "x/y", "text").error(), system_error(ENOENT));
    EXPECT_FALSE(write_file("/proc/weft-test", "text").has_value());
    EXPECT_EQ(write_file(std::string_view("a\0", 2), "text").error(), system_error(EINVAL));
    EXPECT_EQ(names_in(place), 1u);
  });
}

TEST(WriteFile, TakesTheLongestName) {
  in_fiber([] {
    const Place place;
    const std::string name(255, 'n');
    EXPECT_TRUE(write_file(place / name, "text"));
    EXPECT_EQ(content(place / name), "text");
    EXPECT_EQ(write_file(place / (name + "n"), "text").error(), system_error(ENAMETOOLONG));
    EXPECT_EQ(names_in(place), 1u);
  });
}

TEST(Lines, AreAllThereWithOrWithoutALastEnd) {
  in_fiber([] {
    const Place place;
    const auto lines_of = [&](std::string_view text) {
      fill(place / "f", text);
      Lines lines = Lines::open(place / "f", 10).value();
      std::vector<std::string> all;
      while (auto line = lines.next().value()) all.emplace_back(*line);
      EXPECT_FALSE(lines.next().value());
      return all;
    };
    using Texts = std::vector<std::string>;
    EXPECT_EQ(lines_of(""), Texts{});
    EXPECT_EQ(lines_of("\n"), Texts{""});
    EXPECT_EQ(lines_of("a"), Texts{"a"});
    EXPECT_EQ(lines_of("a\n\r\nb\r\nc"), (Texts{"a", "", "b", "c"}));
    EXPECT_EQ(lines_of("0123456789\n"), Texts{"0123456789"});
    fill(place / "f", "short\n0123456789x\n");
    Lines lines = Lines::open(place / "f", 10).value();
    EXPECT_EQ(lines.next().value(), "short");
    const auto refused = lines.next();
    EXPECT_EQ(refused.error(), Errc::message_too_large);
    EXPECT_NE(refused.message().find(place / "f"), std::string::npos);
    EXPECT_EQ(Lines::open(place / "x").error(), system_error(ENOENT));
  });
}

TEST(CopyFile, CopiesContentAndPermissions) {
  in_fiber([] {
    const Place place;
    const std::string text = pattern(3'000'000);
    fill(place / "f", text);
    ASSERT_EQ(::chmod((place / "f").c_str(), 0700), 0);
    EXPECT_EQ(copy_file(place / "f", place / "g").value(), text.size());
    EXPECT_TRUE(content(place / "g") == text);
    EXPECT_EQ(weft::fs::status(place / "g").value().mode, 0700u);
    EXPECT_EQ(copy_file(place / "f", place / "g", weft::fs::Replace::kNo).error(), system_error(EEXIST));
    fill(place / "f", "short");
    EXPECT_EQ(copy_file(place / "f", place / "g").value(), 5u);
    EXPECT_EQ(content(place / "g"), "short");
    fill(place / "e", "");
    EXPECT_EQ(copy_file(place / "e", place / "g").value(), 0u);
    EXPECT_EQ(content(place / "g"), "");
  });
}

TEST(CopyFile, LosesNothingByAMistake) {
  in_fiber([] {
    const Place place;
    fill(place / "f", "precious");
    ASSERT_EQ(::link((place / "f").c_str(), (place / "same").c_str()), 0);
    EXPECT_EQ(copy_file(place / "f", place / "f").error(), system_error(EINVAL));
    EXPECT_EQ(copy_file(place / "f", place / "same").error(), system_error(EINVAL));
    EXPECT_EQ(content(place / "f"), "precious");
    EXPECT_EQ(copy_file(place / "x", place / "f").error(), system_error(ENOENT));
    EXPECT_EQ(copy_file(place.path(), place / "f").error(), system_error(EISDIR));
    EXPECT_EQ(copy_file(place / "f", place.path()).error(), system_error(EISDIR));
    EXPECT_EQ(content(place / "f"), "precious");
    EXPECT_EQ(copy_file("/proc/self/comm", place / "comm").bytes(), content("/proc/self/comm").size());
    EXPECT_EQ(content(place / "comm"), content("/proc/self/comm"));
    const auto full = copy_file(place / "f", "/dev/full");
    EXPECT_EQ(full.error(), system_error(ENOSPC));
    EXPECT_EQ(full.bytes(), 0u);
  });
}

TEST(Temporary, FilesHaveNamesOfTheirOwnAndGo) {
  in_fiber([] {
    const Place place;
    std::string kept;
    {
      std::vector<TemporaryFile> files;
      std::set<std::string> paths;
      for (int i = 0; i < 50; ++i) {
        files.push_back(TemporaryFile::create(place.path(), "t-").value());
        paths.insert(files.back().path());
        EXPECT_EQ(files.back().path().substr(0, place.path().size() + 3), place / "t-");
      }
      EXPECT_EQ(paths.size(), 50u);
      EXPECT_EQ(weft::fs::status(files[0].path()).value().mode, 0600u);
      EXPECT_TRUE(files[0].file().write_all("text"));
      EXPECT_EQ(content(files[0].path()), "text");
      files[0].keep();
      kept = files[0].path();
      files[1] = std::move(files[2]);
      EXPECT_EQ(names_in(place), 49u) << "the one that was assigned to is gone";
    }
    EXPECT_EQ(names_in(place), 1u);
    EXPECT_EQ(content(kept), "text");
    EXPECT_EQ(TemporaryFile::create(place / "x").error(), system_error(ENOENT));
  });
}

TEST(Temporary, DirectoriesGoWithAllThatIsInThem) {
  in_fiber([] {
    const Place place;
    {
      TemporaryDirectory one = TemporaryDirectory::create(place.path()).value();
      TemporaryDirectory two = TemporaryDirectory::create(place.path()).value();
      EXPECT_NE(one.path(), two.path());
      ASSERT_TRUE(weft::fs::create_directories(one.path() + "/a/b"));
      fill(one.path() + "/a/b/f", "text");
      EXPECT_TRUE(two.remove());
      EXPECT_EQ(names_in(place), 1u);
    }
    EXPECT_EQ(names_in(place), 0u);
    std::string kept;
    {
      TemporaryDirectory one = TemporaryDirectory::create(place.path()).value();
      one.keep();
      kept = one.path();
    }
    EXPECT_TRUE(weft::fs::exists(kept).value());
  });
}

}  // namespace
