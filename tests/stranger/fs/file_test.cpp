// SPDX-License-Identifier: Apache-2.0
#include "stranger/stranger.hpp"
#include <weft/weft.hpp>
namespace { TEST(File, Hello) { stranger::in_fiber([] {
 auto d = weft::fs::TemporaryDirectory::create().value();
 const std::string path = d.path() + "/a";
 EXPECT_EQ(weft::fs::write_file(path, "hello").value(), 5u);
 EXPECT_EQ(weft::fs::read_file(path, 100).value(), "hello"); }); } }
