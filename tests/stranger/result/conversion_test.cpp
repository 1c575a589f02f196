// SPDX-License-Identifier: Apache-2.0
// A Result<bool> was made implicitly from a *failed* Result<void>, through its operator bool: it held
// `false`, and the error was gone. Whatever can be asked whether it succeeded had the same way in.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <any>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace {

using weft::Result;

template <class To, class From>
constexpr bool kMade = std::is_constructible_v<Result<To>, From> || std::is_convertible_v<From, Result<To>> ||
                       std::is_assignable_v<Result<To>&, From>;

static_assert(!kMade<bool, Result<void>> && !kMade<bool, Result<void>&> && !kMade<bool, const Result<void>&>);
static_assert(!kMade<bool, Result<int>> && !kMade<bool, Result<std::string>>);
static_assert(!kMade<int, Result<void>> && !kMade<int, Result<bool>> && !kMade<int, Result<std::size_t>>);
static_assert(!kMade<std::int64_t, Result<int>> && !kMade<std::size_t, const Result<unsigned>&>);
static_assert(!kMade<void, Result<int>> && !kMade<void, Result<bool>>);
static_assert(!kMade<std::string, Result<std::string_view>> && !kMade<std::string, Result<const char*>>);
static_assert(!kMade<std::any, Result<int>> && !kMade<std::any, Result<void>>, "it takes everything");
static_assert(!kMade<std::optional<int>, Result<int>> && !kMade<std::optional<bool>, Result<void>>);
static_assert(!kMade<std::variant<bool, std::string>, Result<void>>);
static_assert(!kMade<std::shared_ptr<int>, Result<std::unique_ptr<int>>>);
// What is no Result, but succeeds or fails as well.
static_assert(!kMade<bool, weft::io::Progress> && !kMade<bool, std::optional<int>>);
static_assert(!kMade<bool, std::unique_ptr<int>> && !kMade<std::size_t, weft::io::Progress>);

// And what is a value stays one.
static_assert(kMade<bool, bool> && kMade<std::int64_t, int> && kMade<std::string, const char*>);
static_assert(kMade<std::optional<int>, int> && kMade<std::any, int> && kMade<bool, weft::Errc>);
static_assert(kMade<Result<int>, Result<int>> && kMade<std::unique_ptr<int>, std::unique_ptr<int>>);

Result<bool> succeeded(Result<void> outcome) {
  if (!outcome) return outcome.error();
  return true;
}

TEST(ResultConversion, AnErrorIsCarriedOnByItsCode) {
  EXPECT_EQ(succeeded({}).value(), true);
  EXPECT_EQ(succeeded(weft::Errc::timed_out).error(), weft::Errc::timed_out);
}

// It held neither a value nor an error, and said "Success" where it was looked at.
TEST(ResultConversionDeathTest, ASuccessHasNoFailure) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> success = 7;
  EXPECT_DEATH((void)Result<std::string>(success.failure()), "BUG: a result is made from the failure\\(\\)");
  EXPECT_DEATH((void)Result<void>(success.failure()), "BUG: a result is made from the failure\\(\\)");
}

TEST(ResultConversion, AResultOfResultsKeepsBoth) {
  const Result<Result<int>> outer = Result<int>(weft::Errc::closed);
  ASSERT_TRUE(outer);
  EXPECT_EQ(outer->error(), weft::Errc::closed);
}

}  // namespace
