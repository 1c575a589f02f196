// SPDX-License-Identifier: Apache-2.0
// How files are opened and closed, and what errors say.
#include "stranger/fs/fs.hpp"

#include <weft/fs/file.hpp>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace {

using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::Place;
using stranger::system_error;
using weft::Errc;
using weft::fs::Access;
using weft::fs::File;
using weft::fs::FileType;

std::string whole_text(File& file) {
  std::string all;
  char part[1000];
  for (;;) {
    const auto n = file.read_some(part);
    if (!n) {
      EXPECT_EQ(n.error(), Errc::end_of_file);
      return all;
    }
    all.append(part, *n);
  }
}

TEST(OpenFile, IsOpenedAsTheOptionsSay) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "old");
    EXPECT_EQ(File::open(place / "a", {.access = Access::kWrite, .create = true, .exclusive = true}).error(),
              system_error(EEXIST));
    EXPECT_EQ(File::open(place / "b").error(), system_error(ENOENT));
    EXPECT_EQ(File::open(place / "b", {.access = Access::kWrite}).error(), system_error(ENOENT));
    {
      File file = File::open(place / "a", {.access = Access::kWrite, .append = true}).value();
      EXPECT_TRUE(file.write_all("+1"));
      file.set_position(0);
      EXPECT_TRUE(file.write_all("+2"));
      char byte[1];
      EXPECT_EQ(file.read_some(byte).error(), system_error(EBADF)) << "opened for writing";
    }
    EXPECT_EQ(content(place / "a"), "old+1+2");
    {
      File file = File::open(place / "a").value();
      EXPECT_EQ(file.write_all("x").error(), system_error(EBADF)) << "opened for reading";
      EXPECT_EQ(whole_text(file), "old+1+2");
    }
    EXPECT_TRUE(File::open(place / "a", {.access = Access::kWrite, .truncate = true}));
    EXPECT_EQ(content(place / "a"), "");
    EXPECT_TRUE(File::open(place / "m", {.access = Access::kWrite, .create = true, .mode = 0600}));
    struct stat status {};
    EXPECT_EQ(::stat((place / "m").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_EQ(File::open(place / "a", {.exclusive = true}).error(), system_error(EINVAL));
    EXPECT_EQ(File::open(place / "a", {.truncate = true}).error(), system_error(EINVAL));
    EXPECT_EQ(File::open(place / "a", {.append = true}).error(), system_error(EINVAL));
  });
}

TEST(OpenFile, RefusesWhatIsNoFileOfADisk) {
  in_fiber([] {
    const Place place;
    ASSERT_EQ(::mkfifo((place / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(File::open(place / "fifo").error(), Errc::unsupported);
    EXPECT_EQ(File::open(place.path(), {.access = Access::kWrite}).error(), system_error(EISDIR));
    EXPECT_EQ(File::open(place / "fifo/x").error(), system_error(ENOTDIR));
    File directory = File::open(place.path()).value();
    char byte[1];
    EXPECT_EQ(directory.read_some(byte).error(), system_error(EISDIR));
    EXPECT_EQ(directory.status().value().type, FileType::kDirectory);
    EXPECT_TRUE(directory.sync());
  });
}

TEST(OpenFile, NamesItsPathInErrors) {
  in_fiber([] {
    const auto missing = File::open("/nowhere/at all");
    EXPECT_EQ(missing.message(), "opening /nowhere/at all: No such file or directory");
    const auto created = File::create("/proc/weft");
    EXPECT_TRUE(created.error() == system_error(ENOENT) || created.error() == system_error(EACCES));
    EXPECT_NE(created.message().find("/proc/weft"), std::string::npos);
    const auto nul = File::open(std::string_view("a\0b", 3));
    EXPECT_EQ(nul.error(), system_error(EINVAL));
    File full = File::open("/dev/full", {.access = Access::kWrite}).value();
    const auto written = full.write_all("lost");
    EXPECT_EQ(written.error(), system_error(ENOSPC));
    EXPECT_EQ(written.bytes(), 0u);
    EXPECT_EQ(written.message(), "writing /dev/full: No space left on device");
    EXPECT_EQ(full.position(), 0u);
  });
}

TEST(OpenFile, FollowsLinksUnlessToldOtherwise) {
  in_fiber([] {
    const Place place;
    fill(place / "target", "text");
    ASSERT_EQ(::symlink("target", (place / "link").c_str()), 0);
    ASSERT_EQ(::symlink("loop", (place / "loop").c_str()), 0);
    File file = File::open(place / "link").value();
    EXPECT_EQ(whole_text(file), "text");
    EXPECT_EQ(File::open(place / "link", {.links = weft::fs::Links::kKeep}).error(), system_error(ELOOP));
    EXPECT_EQ(File::open(place / "loop").error(), system_error(ELOOP));
  });
}

TEST(OpenFile, WithoutANameIsThereUntilItIsClosed) {
  in_fiber([] {
    const Place place;
    File file = File::create_unnamed(place.path()).value();
    EXPECT_TRUE(file.write_all("secret"));
    char text[6];
    EXPECT_EQ(file.pread_exact(text, 0).value(), 6u);
    EXPECT_EQ(std::string(text, 6), "secret");
    EXPECT_EQ(file.status().value().links, 0u);
  });
}

TEST(OpenFile, IsClosedOnce) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    File moved = std::move(file);
    EXPECT_FALSE(file.is_open());
    EXPECT_EQ(file.native_handle(), -1);
    EXPECT_EQ(file.path(), "");
    char byte[1];
    EXPECT_EQ(file.read_some(byte).error(), Errc::closed);
    EXPECT_EQ(file.write_all("x").error(), Errc::closed);
    EXPECT_EQ(file.sync().error(), Errc::closed);
    EXPECT_EQ(file.status().error(), Errc::closed);
    EXPECT_EQ(file.lock().error(), Errc::closed);
    EXPECT_EQ(file.close().error(), Errc::closed);
    EXPECT_TRUE(moved.close());
    EXPECT_FALSE(moved.is_open());
    EXPECT_EQ(moved.native_handle(), -1);
    EXPECT_EQ(moved.path(), place / "a");
    EXPECT_EQ(moved.pread(byte, 0).error(), Errc::closed);
    EXPECT_EQ(moved.truncate(0).error(), Errc::closed);
    EXPECT_EQ(moved.unlock().error(), Errc::closed);
    EXPECT_EQ(moved.close().error(), Errc::closed);
    EXPECT_EQ(File().close().error(), Errc::closed);
  });
}

}  // namespace
