// SPDX-License-Identifier: Apache-2.0
#include <weft/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

static_assert(sizeof(Result<std::size_t>) == 16, "two registers");
static_assert(std::is_trivially_copyable_v<Result<std::size_t>>, "returned in registers");
static_assert(sizeof(Result<void>) == 16 && std::is_trivially_copyable_v<Result<void>>);
static_assert(!std::is_convertible_v<Result<int>, bool>, "only where a condition is asked for");
static_assert(!std::is_constructible_v<Result<int>, std::string>);
static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<Result<std::unique_ptr<int>>>);

const std::error_code kReset = std::make_error_code(std::errc::connection_reset);

/// Counts its instances, to see that each is destroyed once.
struct Counted {
  explicit Counted(int* instances) noexcept : instances_(instances) { ++*instances_; }
  Counted(const Counted& other) noexcept : Counted(other.instances_) {}
  Counted& operator=(const Counted&) = default;
  ~Counted() { --*instances_; }
  int* instances_;
};

TEST(Result, HoldsAValue) {
  const Result<int> result = 7;
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(*result, 7);
  EXPECT_EQ(result.value(), 7);
  EXPECT_EQ(result.error(), std::error_code());
}

TEST(Result, HoldsAnErrorCode) {
  const Result<int> result = kReset;
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), kReset);
  EXPECT_EQ(&result.error().category(), &std::generic_category());
}

TEST(Result, IsMadeFromAnErrorEnum) {
  const Result<int> ours = Errc::closed;
  EXPECT_EQ(ours.error(), Errc::closed);
  const Result<std::string> text = Errc::end_of_file;
  EXPECT_EQ(text.error(), Errc::end_of_file);
}

TEST(Result, ValueOfAnErrorThrowsIt) {
  const Result<int> trivial = kReset;
  const Result<std::string> text = kReset;
  const Result<void> nothing = kReset;
  const auto code_thrown_by = [](auto&& call) {
    try {
      call();
    } catch (const std::system_error& error) {
      return error.code();
    }
    return std::error_code();
  };
  EXPECT_EQ(code_thrown_by([&] { static_cast<void>(trivial.value()); }), kReset);
  EXPECT_EQ(code_thrown_by([&] { static_cast<void>(text.value()); }), kReset);
  EXPECT_EQ(code_thrown_by([&] { nothing.value(); }), kReset);
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 3);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
  EXPECT_TRUE(result.has_value()) << "a moved-from result still holds a moved-from value";
}

TEST(Result, ConvertsToTheValueType) {
  const Result<std::string> text = "literal";
  EXPECT_EQ(*text, "literal");
  EXPECT_EQ(text->size(), 7u);
  const Result<std::int64_t> widened = 5;
  EXPECT_EQ(*widened, 5);
}

TEST(Result, AssignmentReplacesValueByErrorAndBack) {
  int instances = 0;
  {
    Result<Counted> result = Counted(&instances);
    EXPECT_EQ(instances, 1);
    result = Result<Counted>(kReset);
    EXPECT_EQ(instances, 0);
    EXPECT_EQ(result.error(), kReset);
    result = Result<Counted>(Counted(&instances));
    EXPECT_EQ(instances, 1);
    EXPECT_EQ(result.error(), std::error_code());
  }
  EXPECT_EQ(instances, 0);
}

TEST(Result, CopiesAreIndependent) {
  Result<std::vector<int>> original = std::vector<int>{1, 2};
  const Result<std::vector<int>> copy = original;
  original->push_back(3);
  EXPECT_EQ(copy->size(), 2u);
}

TEST(Result, ValueOrGivesTheAlternativeOnlyForAnError) {
  EXPECT_EQ(Result<int>(4).value_or(9), 4);
  EXPECT_EQ(Result<int>(kReset).value_or(9), 9);
  EXPECT_EQ(Result<std::string>(kReset).value_or("none"), "none");
}

TEST(Result, AZeroValueIsNotAnError) {
  EXPECT_TRUE(Result<std::size_t>(std::size_t{0}));
  EXPECT_TRUE(Result<bool>(false));
  EXPECT_FALSE(*Result<bool>(false));
  EXPECT_TRUE(Result<int*>(nullptr));
}

TEST(Result, NegativeErrorValuesSurvive) {
  const Result<std::size_t> result = std::error_code(-5, std::generic_category());
  EXPECT_EQ(result.error().value(), -5);
}

TEST(ResultVoid, IsSuccessByDefault) {
  const Result<void> result;
  EXPECT_TRUE(result);
  EXPECT_EQ(result.error(), std::error_code());
  EXPECT_NO_THROW(result.value());
}

TEST(ResultVoid, HoldsAnError) {
  const Result<void> result = Errc::timed_out;
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error(), Errc::timed_out);
}

}  // namespace
}  // namespace weft
