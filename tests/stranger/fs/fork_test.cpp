// SPDX-License-Identifier: Apache-2.0
// A child of fork(): its calls are its own, and the parent's go on.
#include "stranger/fibers/children.hpp"
#include "stranger/fs/fs.hpp"

#include <weft/fs/file.hpp>
#include <weft/fs/whole_file.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

namespace {

using stranger::Child;
using stranger::content;
using stranger::in_child;
using stranger::in_fiber;
using stranger::Place;
using weft::fs::File;

/// A write, and a sync, which are handed over.
bool write_here(const std::string& path, const std::string& text) {
  File file = File::create(path).value();
  return file.write_all(text).bytes() == text.size() && file.sync().has_value();
}

TEST(ForkWithFiles, TheChildHandsOverAnewAndTheParentGoesOn) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  in_fiber([] {
    const Place place;
    EXPECT_TRUE(write_here(place / "before", "parent"));
    const Child child =
        in_child([&] { return weft::run([&] { return write_here(place / "child", "child") ? 0 : 1; }); });
    EXPECT_EQ(child.exit_code(), 0) << child.text;
    EXPECT_EQ(content(place / "child"), "child");
    EXPECT_TRUE(write_here(place / "after", "parent again"));
    EXPECT_EQ(content(place / "after"), "parent again");
  });
}

}  // namespace
