// SPDX-License-Identifier: Apache-2.0
// A range-for over the value of a temporary result walked through memory that was gone.
#include <weft/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using weft::Result;

Result<std::vector<std::string>> names() {
  return std::vector<std::string>{"a name that is too long for a small string",
                                  "another one that is as long"};
}

TEST(ResultOfATemporary, IsTheValueItself) {
  std::string all;
  for (const std::string& name : names().value()) all += name + ";";
  for (const std::string& name : *names()) all += name + ";";
  EXPECT_EQ(all,
            "a name that is too long for a small string;another one that is as long;"
            "a name that is too long for a small string;another one that is as long;");
}

TEST(ResultOfATemporary, NeedNotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
  const std::unique_ptr<int> direct = Result<std::unique_ptr<int>>(std::make_unique<int>(8)).value();
  EXPECT_EQ(*direct, 8);
  static_assert(std::is_same_v<decltype(names().value()), std::vector<std::string>>);
  static_assert(std::is_same_v<decltype(std::declval<Result<int>&>().value()), int&>);
}

}  // namespace
