// SPDX-License-Identifier: Apache-2.0
#include "base/panic.hpp"

#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

class PanicDeathTest : public testing::Test {
 protected:
  PanicDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(PanicDeathTest, SaysWhatIsBrokenWhereAndWithWhichValues) {
  const int queue_size = 3;
  const int limit = 2;
  EXPECT_DEATH(WEFT_PANIC("queue overflow", WEFT_VALUE(queue_size), WEFT_VALUE(limit)),
               "BUG: queue overflow \\(queue_size=3, limit=2\\) at .*panic_test.cpp:[0-9]+\n");
}

TEST_F(PanicDeathTest, NeedsNoValues) {
  EXPECT_DEATH(WEFT_PANIC("nothing to show"), "BUG: nothing to show at ");
}

TEST_F(PanicDeathTest, AnAssertWhoseConditionIsFalsePanics) {
  EXPECT_DEATH(WEFT_ASSERT(1 + 1 == 3, "arithmetic"), "BUG: arithmetic at ");
}

TEST_F(PanicDeathTest, CallsTheHookAfterTheMessage) {
  EXPECT_DEATH(
      {
        set_panic_hook([] { write_to_stderr({"the dump", " in pieces\n"}); });
        WEFT_PANIC("first");
      },
      "BUG: first at .*\nthe dump in pieces\n");
}

TEST_F(PanicDeathTest, AHookThatPanicsIsNotEnteredTwice) {
  EXPECT_DEATH(
      {
        set_panic_hook([] { WEFT_PANIC("inside the hook"); });
        WEFT_PANIC("outside");
      },
      "BUG: outside at .*\nBUG: inside the hook at ");
}

TEST_F(PanicDeathTest, AMessageTooLongForTheBufferIsCutNotOverrun) {
  const std::string endless(5000, 'x');
  EXPECT_DEATH(WEFT_PANIC(endless.c_str()), "BUG: x{900}");
}

TEST_F(PanicDeathTest, TheLastValuesOfTheRangeAreShownInFull) {
  const auto largest = ~std::uint64_t{0};
  EXPECT_DEATH(WEFT_PANIC("limits", WEFT_VALUE(largest)), "largest=18446744073709551615");
}

TEST(Panic, AnAssertWhoseConditionHoldsEvaluatesItOnceAndGoesOn) {
  int evaluations = 0;
  WEFT_ASSERT(++evaluations == 1, "evaluated twice");
  EXPECT_EQ(evaluations, 1);
}

TEST(Panic, ADebugAssertIsCheckedInDebugBuildsOnly) {
  int evaluations = 0;
  WEFT_DEBUG_ASSERT(++evaluations == 1, "evaluated twice");
#ifdef NDEBUG
  EXPECT_EQ(evaluations, 0);
#else
  EXPECT_EQ(evaluations, 1);
#endif
}

}  // namespace
}  // namespace weft
