// SPDX-License-Identifier: Apache-2.0
// The texts of failures: each its own, never another's.
#include <weft/detail/failure.hpp>
#include <weft/result.hpp>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weft::detail {
namespace {

const std::error_code kRefused = std::make_error_code(std::errc::connection_refused);

TEST(FailureText, SaysWhatWasDoneAndToWhat) {
  const Failure failure = failure_about(kRefused, "connecting to", "127.0.0.1:80");
  EXPECT_EQ(message_of(failure), "connecting to 127.0.0.1:80: Connection refused");
  EXPECT_EQ(failure.error, kRefused);
}

TEST(FailureText, IsNotThereForAPlainError) {
  EXPECT_EQ(message_of(Failure{kRefused}), "Connection refused");
  EXPECT_EQ(Result<int>(kRefused).message(), "Connection refused");
  EXPECT_EQ(Result<int>(7).message(), "");
  EXPECT_EQ(Result<void>().message(), "");
}

TEST(FailureText, StaysWithCopiesAndOtherTypes) {
  const Result<std::string> first = failure_about(kRefused, "connecting to", "a:1");
  const Result<void> second = first.failure();
  const Result<int> third = second.failure();
  EXPECT_EQ(first.message(), "connecting to a:1: Connection refused");
  EXPECT_EQ(second.message(), first.message());
  EXPECT_EQ(third.message(), first.message());
  EXPECT_EQ(third.error(), kRefused);
}

TEST(FailureText, IsCutToItsRoomAndToOneLine) {
  const std::string doing(200, 'd'), what(200, 'w');
  EXPECT_EQ(message_of(failure_about(kRefused, doing, what)),
            std::string(150, 'd') + " : Connection refused");
  EXPECT_EQ(message_of(failure_about(kRefused, "at", what)),
            "at " + std::string(148, 'w') + ": Connection refused");
  EXPECT_EQ(message_of(failure_about(kRefused, "at", "a\nb\x1b")), "at a?b?: Connection refused");
}

TEST(FailureText, OfTheOldestIsForgottenAndNobodyElsesIsShown) {
  const Failure old = failure_about(kRefused, "at", "old");
  for (int i = 0; i < 100; ++i) failure_about(kRefused, "at", "new");
  EXPECT_EQ(message_of(old), "Connection refused");
}

TEST(FailureText, OfManyThreadsIsTheirOwnOrNone) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      const std::string mine(100, static_cast<char>('a' + t));
      for (int i = 0; i < 2000; ++i) {
        const std::string text = message_of(failure_about(kRefused, "at", mine));
        EXPECT_TRUE(text == "at " + mine + ": Connection refused" || text == "Connection refused") << text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(FailureText, IsInWhatValueThrows) {
  const Result<int> failed = failure_about(kRefused, "connecting to", "a:1");
  try {
    static_cast<void>(failed.value());
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "connecting to a:1: Connection refused");
    EXPECT_EQ(error.code(), kRefused);
  }
}

static_assert(sizeof(Result<void>) == 16 && sizeof(Result<std::size_t>) == 16 && sizeof(Result<int>) == 16);
static_assert(std::is_trivially_copyable_v<Result<std::size_t>>);

}  // namespace
}  // namespace weft::detail
