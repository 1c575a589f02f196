// SPDX-License-Identifier: Apache-2.0
#include "cpu_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::tool::compare {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CpuPlan, BothSidesAreApartWhereThatLeavesACoreForEachThread) {
  const CpuPlan plan = plan_cpus({0, 1, 2, 3}, 3);
  EXPECT_THAT(plan.server, ElementsAre(0, 1, 2));
  EXPECT_THAT(plan.load, ElementsAre(3));
  EXPECT_THAT(plan.label, IsEmpty());
}

TEST(CpuPlan, AServerWithMoreThreadsThanThatGetsAllCoresAndALabel) {
  const CpuPlan plan = plan_cpus({0, 1}, 2);
  EXPECT_THAT(plan.server, ElementsAre(0, 1));
  EXPECT_THAT(plan.load, ElementsAre(1));
  EXPECT_EQ(plan.label, "shared with the load");
}

TEST(CpuPlan, MoreThreadsThanCoresAreSaid) {
  EXPECT_EQ(plan_cpus({0, 1}, 4).label, "more threads than cores: 4 on 2 cores, shared with the load");
  EXPECT_EQ(plan_cpus({5}, 1).label, "shared with the load");
}

TEST(CpuPlan, WhatIsGivenIsTaken) {
  const CpuPlan plan = plan_cpus({0, 1, 2, 3}, 2, {0}, {2, 3});
  EXPECT_THAT(plan.server, ElementsAre(0));
  EXPECT_THAT(plan.load, ElementsAre(2, 3));
  EXPECT_EQ(plan.label, "more threads than cores: 2 on 1 core");
}

TEST(CpuPlan, ThereIsAlwaysACpu) { EXPECT_FALSE(allowed_cpus().empty()); }

}  // namespace
}  // namespace weft::tool::compare
