// SPDX-License-Identifier: Apache-2.0
#include <weft/error.hpp>

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr Errc kAll[] = {
    Errc::end_of_file,       Errc::closed,
    Errc::timed_out,         Errc::cancelled,
    Errc::invalid_address,   Errc::address_not_found,
    Errc::message_too_large, Errc::malformed_message,
    Errc::unsupported,       Errc::would_block,
};

TEST(Errc, EachHasAMessageOfItsOwn) {
  std::set<std::string> messages;
  for (Errc code : kAll) messages.insert(make_error_code(code).message());
  EXPECT_EQ(messages.size(), std::size(kAll));
  EXPECT_EQ(messages.count(std::error_code(12345, error_category()).message()), 0u);
}

TEST(Errc, NoneIsZeroWhichMeansSuccess) {
  for (Errc code : kAll) EXPECT_TRUE(make_error_code(code)) << make_error_code(code);
}

TEST(Errc, ComparesEqualToTheClosestPortableCondition) {
  EXPECT_EQ(make_error_code(Errc::timed_out), std::errc::timed_out);
  EXPECT_EQ(make_error_code(Errc::cancelled), std::errc::operation_canceled);
  EXPECT_EQ(make_error_code(Errc::closed), std::errc::bad_file_descriptor);
  EXPECT_EQ(make_error_code(Errc::unsupported), std::errc::operation_not_supported);
  EXPECT_EQ(make_error_code(Errc::would_block), std::errc::operation_would_block);
  EXPECT_NE(make_error_code(Errc::timed_out), std::errc::operation_canceled);
}

TEST(Errc, EndOfFileHasNoPortableTwin) {
  const std::error_condition condition = make_error_code(Errc::end_of_file).default_error_condition();
  EXPECT_EQ(&condition.category(), &error_category());
  EXPECT_NE(make_error_code(Errc::end_of_file), std::errc{});
}

TEST(Errc, IsNotTheKernelsErrorOfTheSameNumber) {
  const auto kernel = std::error_code(static_cast<int>(Errc::closed), std::system_category());
  EXPECT_NE(make_error_code(Errc::closed), kernel);
}

TEST(Errc, AnUnknownValueIsSaidToBeUnknown) {
  const std::error_code unknown(12345, error_category());
  EXPECT_EQ(unknown.message(), "unknown weft error");
  EXPECT_STREQ(unknown.category().name(), "weft");
}

}  // namespace
}  // namespace weft
