// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/path_index.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft::http::protocol {
namespace {

TEST(PathIndexTest, AnEmptyOneFindsNothing) { EXPECT_EQ(PathIndex().find("/"), nullptr); }

TEST(PathIndexTest, EveryPathIsFoundWhileItGrowsAndNoOther) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < 200; ++i) paths.push_back("/" + std::string(i % 40, 'a') + std::to_string(i));
  PathIndex index;
  for (std::size_t added = 0; added < paths.size(); ++added) {
    EXPECT_EQ(index.find(paths[added]), nullptr);
    index.add(paths[added], &paths[added]);
    for (std::size_t i = 0; i <= added; ++i) ASSERT_EQ(index.find(paths[i]), &paths[i]) << paths[i];
  }
  EXPECT_EQ(index.find(""), nullptr);
  EXPECT_EQ(index.find("/aaaa"), nullptr);
}

TEST(PathIndexTest, EveryByteCounts) {
  const int value = 0;
  for (std::size_t size = 1; size < 40; ++size) {
    std::string path(size, 'a');
    PathIndex index;
    index.add(path, &value);
    for (char& c : path) {
      // Many others, so that some share a slot's place.
      for (c = 'b'; c <= 'z'; ++c) EXPECT_EQ(index.find(path), nullptr) << path;
      c = 'a';
    }
    EXPECT_EQ(index.find(path), &value);
  }
}

TEST(PathIndexTest, APathThatIsThereKeepsItsValue) {
  const int first = 0;
  const int second = 0;
  PathIndex index;
  index.add("/a", &first);
  index.add("/a", &second);
  EXPECT_EQ(index.find("/a"), &first);
}

}  // namespace
}  // namespace weft::http::protocol
