// SPDX-License-Identifier: Apache-2.0
// Directories: names, walks, changes.
#include "stranger/fs/fs.hpp"

#include <weft/fs/change.hpp>
#include <weft/fs/directory.hpp>
#include <weft/fs/status.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace {

using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::Place;
using stranger::system_error;
using weft::fs::create_directories;
using weft::fs::create_directory;
using weft::fs::exists;
using weft::fs::FileType;
using weft::fs::Links;
using weft::fs::read_directory;
using weft::fs::remove_all;
using weft::fs::Replace;
using weft::fs::Walk;

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (auto& entry : read_directory(path).value()) names.push_back(entry.name);
  return names;
}

std::set<std::string> walked(const std::string& path, const weft::fs::WalkOptions& options = {}) {
  std::set<std::string> paths;
  Walk walk = Walk::begin(path, options).value();
  for (;;) {
    auto entry = walk.next();
    if (!entry) {
      paths.insert(entry.message());
      continue;
    }
    if (!*entry) return paths;
    EXPECT_TRUE(paths.insert((*entry)->path.substr(path.size())).second) << "once each";
  }
}

TEST(Directory, ListsItsNamesWhateverTheyAre) {
  in_fiber([] {
    const Place place;
    const std::vector<std::string> odd = {
        " ", "-rf", "...", "\n", "a b", "\xff\xfe", "\xc3\xa4\xe6\x97\xa5", std::string(255, 'x')};
    for (const std::string& name : odd) fill(place / name, name);
    ASSERT_TRUE(create_directory(place / "d"));
    ASSERT_EQ(::symlink("nowhere", (place / "l").c_str()), 0);
    ASSERT_EQ(::mkfifo((place / "p").c_str(), 0600), 0);
    std::set<std::string> expected(odd.begin(), odd.end());
    expected.insert({"d", "l", "p"});
    const auto entries = read_directory(place.path()).value();
    std::set<std::string> seen;
    for (const auto& entry : entries) {
      seen.insert(entry.name);
      const FileType type = entry.name == "d"   ? FileType::kDirectory
                            : entry.name == "l" ? FileType::kSymlink
                            : entry.name == "p" ? FileType::kFifo
                                                : FileType::kRegular;
      EXPECT_EQ(entry.type, type) << entry.name;
    }
    EXPECT_EQ(seen, expected);
    EXPECT_TRUE(
        std::is_sorted(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.name < b.name; }));
    for (const std::string& name : odd) EXPECT_EQ(content(place / name), name);
  });
}

TEST(Directory, HasNoNamesIfItIsEmptyAndErrorsNameIt) {
  in_fiber([] {
    const Place place;
    EXPECT_TRUE(read_directory(place.path()).value().empty());
    fill(place / "f", "");
    const auto file = read_directory(place / "f");
    EXPECT_EQ(file.error(), system_error(ENOTDIR));
    EXPECT_EQ(file.message(), "opening " + (place / "f") + ": Not a directory");
    EXPECT_EQ(read_directory(place / "nowhere").error(), system_error(ENOENT));
    EXPECT_EQ(Walk::begin(place / "f").error(), system_error(ENOTDIR));
    EXPECT_EQ(weft::fs::Directory::open(std::string_view("\0", 1)).error(), system_error(EINVAL));
  });
}

TEST(Directory, OfTenThousandFilesIsListedWalkedAndRemoved) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directory(place / "many"));
    for (int i = 0; i < 10'000; ++i) fill(place / ("many/" + std::to_string(i)), "");
    const auto names = names_in(place / "many");
    EXPECT_EQ(names.size(), 10'000u);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 10'000u);
    EXPECT_EQ(walked(place.path()).size(), 10'001u);
    EXPECT_EQ(remove_all(place / "many").value(), 10'001u);
    EXPECT_FALSE(exists(place / "many").value());
  });
}

TEST(Walk, GivesEachNameOnceADirectoryBeforeWhatIsInIt) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directories(place / "a/b/c"));
    fill(place / "a/1", "");
    fill(place / "a/b/2", "");
    EXPECT_EQ(walked(place.path()), (std::set<std::string>{"/a", "/a/1", "/a/b", "/a/b/2", "/a/b/c"}));
    Walk walk = Walk::begin(place.path()).value();
    auto first = walk.next().value();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->path, place / "a");
    EXPECT_EQ(first->depth, 0u);
    EXPECT_EQ(first->type, FileType::kDirectory);
    walk.skip();
    EXPECT_FALSE(walk.next().value());
    EXPECT_FALSE(walk.next().value()) << "it stays ended";
  });
}

TEST(Walk, EntersLinksOnlyIfToldAndFindsLoops) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directories(place / "a/b"));
    fill(place / "a/b/f", "");
    ASSERT_EQ(::symlink("..", (place / "a/b/up").c_str()), 0);
    ASSERT_EQ(::symlink("a/b", (place / "side").c_str()), 0);
    ASSERT_EQ(::symlink("nowhere", (place / "dead").c_str()), 0);
    ASSERT_EQ(::symlink("self", (place / "self").c_str()), 0);
    const std::set<std::string> kept{"/a", "/a/b", "/a/b/f", "/a/b/up", "/side", "/dead", "/self"};
    EXPECT_EQ(walked(place.path()), kept);
    const auto followed = walked(place.path(), {.links = Links::kFollow});
    EXPECT_TRUE(followed.count("/side/f"));
    EXPECT_TRUE(followed.count("/a/b/up"));
    EXPECT_TRUE(followed.count("walking into " + (place / "a/b/up") + ": Too many levels of symbolic links"));
    EXPECT_TRUE(followed.count("/dead"));
    EXPECT_TRUE(followed.count("/self"));
  });
}

TEST(Walk, GoesOnAfterADirectoryThatIsGone) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directory(place / "a"));
    Walk walk = Walk::begin(place.path()).value();
    EXPECT_EQ(walk.next().value()->path, place / "a");
    ASSERT_TRUE(weft::fs::remove(place / "a"));
    const auto gone = walk.next();
    EXPECT_EQ(gone.error(), system_error(ENOENT));
    EXPECT_NE(gone.message().find(place / "a"), std::string::npos);
    EXPECT_FALSE(walk.next().value());
  });
}

TEST(Tree, DeeperThanAnyPathIsRemoved) {
  in_fiber([] {
    const Place place;
    const std::string name(100, 'd');
    std::string path = place / "deep";
    ASSERT_TRUE(create_directory(path));
    // By steps: the whole path is longer than the kernel takes.
    const int before = ::open(".", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::chdir(path.c_str()), 0);
    for (int i = 0; i < 60; ++i) {
      ASSERT_EQ(::mkdir(name.c_str(), 0700), 0);
      ASSERT_EQ(::chdir(name.c_str()), 0);
    }
    fill("leaf", "");
    ASSERT_EQ(::fchdir(before), 0);
    ::close(before);
    EXPECT_EQ(walked(path).size(), 61u);
    EXPECT_EQ(remove_all(path).value(), 62u);
  });
}

TEST(Tree, RemovalDoesNotFollowLinks) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directory(place / "kept"));
    fill(place / "kept/f", "precious");
    ASSERT_TRUE(create_directory(place / "gone"));
    ASSERT_EQ(::symlink("../kept", (place / "gone/l").c_str()), 0);
    ASSERT_EQ(::symlink("kept", (place / "l").c_str()), 0);
    EXPECT_EQ(remove_all(place / "gone/").value(), 2u);
    EXPECT_EQ(remove_all(place / "l/").value(), 1u) << "the link only";
    EXPECT_EQ(content(place / "kept/f"), "precious");
    EXPECT_EQ(remove_all(place / "nowhere").value(), 0u);
    EXPECT_EQ(remove_all(place / "kept/f/x").error(), system_error(ENOTDIR));
    EXPECT_FALSE(remove_all("/proc/self/status").has_value());
  });
}

TEST(Remove, TakesFilesLinksAndEmptyDirectories) {
  in_fiber([] {
    const Place place;
    ASSERT_TRUE(create_directories(place / "d/e"));
    ASSERT_EQ(::symlink("d", (place / "l").c_str()), 0);
    EXPECT_EQ(weft::fs::remove(place / "d").error(), system_error(ENOTEMPTY));
    EXPECT_TRUE(weft::fs::remove(place / "d/e"));
    EXPECT_TRUE(weft::fs::remove(place / "l"));
    EXPECT_TRUE(weft::fs::remove(place / "d"));
    const auto gone = weft::fs::remove(place / "d");
    EXPECT_EQ(gone.error(), system_error(ENOENT));
    EXPECT_EQ(gone.message(), "removing " + (place / "d") + ": No such file or directory");
  });
}

TEST(Rename, ReplacesUnlessToldOtherwise) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "a");
    fill(place / "b", "b");
    const auto kept = weft::fs::rename(place / "a", place / "b", Replace::kNo);
    EXPECT_EQ(kept.error(), system_error(EEXIST));
    EXPECT_EQ(content(place / "b"), "b");
    EXPECT_TRUE(weft::fs::rename(place / "a", place / "c", Replace::kNo));
    EXPECT_TRUE(weft::fs::rename(place / "c", place / "b"));
    EXPECT_EQ(content(place / "b"), "a");
    EXPECT_EQ(names_in(place.path()), std::vector<std::string>{"b"});
    EXPECT_EQ(weft::fs::rename(place / "a", place / "b").error(), system_error(ENOENT));
    ASSERT_TRUE(create_directory(place / "d"));
    EXPECT_EQ(weft::fs::rename(place / "b", place / "d").error(), system_error(EISDIR));
    EXPECT_EQ(weft::fs::rename(place / "d", place / "b").error(), system_error(ENOTDIR));
    EXPECT_EQ(weft::fs::rename(place / "d", place / "d/e").error(), system_error(EINVAL));
    EXPECT_EQ(weft::fs::rename(place / "b", "/dev/shm/weft-other-disk").error(), system_error(EXDEV));
  });
}

TEST(CreateDirectories, MakesWhatIsMissing) {
  in_fiber([] {
    const Place place;
    EXPECT_EQ(create_directory(place / "a/b").error(), system_error(ENOENT));
    EXPECT_TRUE(create_directories(place / "a/b//c/"));
    EXPECT_TRUE(create_directories(place / "a/b/c"));
    EXPECT_EQ(create_directory(place / "a").error(), system_error(EEXIST));
    EXPECT_EQ(names_in(place / "a/b"), std::vector<std::string>{"c"});
    fill(place / "f", "");
    EXPECT_EQ(create_directories(place / "f").error(), system_error(ENOTDIR));
    EXPECT_EQ(create_directories(place / "f/x/y").error(), system_error(ENOTDIR));
    EXPECT_EQ(create_directories("").error(), system_error(ENOENT));
    EXPECT_TRUE(create_directories("/"));
    EXPECT_TRUE(weft::fs::sync_directory(place.path()));
    EXPECT_EQ(weft::fs::sync_directory(place / "f").error(), system_error(ENOTDIR));
  });
}

TEST(Status, TellsWhatTheKernelKnows) {
  in_fiber([] {
    const Place place;
    fill(place / "f", "12345");
    ASSERT_EQ(::chmod((place / "f").c_str(), 0640), 0);
    ASSERT_EQ(::link((place / "f").c_str(), (place / "g").c_str()), 0);
    ASSERT_EQ(::symlink("f", (place / "l").c_str()), 0);
    struct stat kernel {};
    ASSERT_EQ(::stat((place / "f").c_str(), &kernel), 0);
    const auto file = weft::fs::status(place / "l").value();
    EXPECT_EQ(file.type, FileType::kRegular);
    EXPECT_EQ(file.size, 5u);
    EXPECT_EQ(file.mode, 0640u);
    EXPECT_EQ(file.links, 2u);
    EXPECT_EQ(file.inode, kernel.st_ino);
    EXPECT_EQ(file.device, kernel.st_dev);
    EXPECT_EQ(file.user, kernel.st_uid);
    EXPECT_EQ(file.modified_ns, kernel.st_mtim.tv_sec * 1'000'000'000 + kernel.st_mtim.tv_nsec);
    EXPECT_EQ(weft::fs::status(place / "l", Links::kKeep).value().type, FileType::kSymlink);
    EXPECT_EQ(weft::fs::status("/dev/null").value().type, FileType::kCharacterDevice);
    EXPECT_TRUE(exists(place / "f").value());
    EXPECT_FALSE(exists(place / "x").value());
    EXPECT_EQ(exists(place / "f/x").error(), system_error(ENOTDIR));
    EXPECT_EQ(weft::fs::status(std::string(5000, 'x')).error(), system_error(ENAMETOOLONG));
  });
}

}  // namespace
