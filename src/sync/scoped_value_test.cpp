// SPDX-License-Identifier: Apache-2.0
#include <weft/scoped_value.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "support/any_context.hpp"

#include <string>

namespace weft {
namespace {

const ScopedValue<std::string> name;
const ScopedValue<int> number;

class ScopedValues : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, ScopedValues, test::all_placements(), test::kind_name);

TEST_P(ScopedValues, AValueIsBoundForABlockAndHiddenByOneFurtherIn) {
  run([] {
    EXPECT_EQ(name.get(), nullptr);
    EXPECT_EQ(number.get_or(3), 3);
    {
      ScopedBinding outer(name, "outer");
      ScopedBinding other(number, 4);
      EXPECT_EQ(*name.get(), "outer");
      {
        ScopedBinding inner(name, "inner");
        EXPECT_EQ(*name.get(), "inner");
        EXPECT_EQ(*number.get(), 4);
      }
      EXPECT_EQ(*name.get(), "outer");
    }
    EXPECT_EQ(name.get(), nullptr);
  });
}

TEST_P(ScopedValues, EachFiberHasItsOwn) {
  run([] {
    ScopedBinding bound(number, 1);
    auto other = spawn([] {
      const bool nothing = number.get() == nullptr;
      ScopedBinding own(number, 2);
      yield();
      return nothing && *number.get() == 2;
    });
    yield();
    EXPECT_EQ(*number.get(), 1);
    EXPECT_TRUE(other.join_uncancellable());
  });
}

TEST_P(ScopedValues, ChildrenOfAGroupSeeWhatWasBoundWhenItWasMade) {
  ConcurrentContext other("other");
  run([&] {
    ScopedBinding bound(name, "parent");
    TaskGroup<std::string> group;
    {
      ScopedBinding later(name, "gone when the child looks");
      group.spawn([] { return *name.get(); });
      group.spawn(other, [] {
        ScopedBinding own(number, 5);
        TaskGroup<std::string> inner;
        inner.spawn([] { return *name.get() + std::to_string(*number.get()); });
        return inner.wait().value()[0];
      });
    }
    EXPECT_EQ(group.wait().value(), (std::vector<std::string>{"parent", "parent5"}));
  });
}

TEST_P(ScopedValues, AFiberInARecycledSlotHasNothingBound) {
  run([] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(spawn([i] {
                    const bool nothing = number.get() == nullptr;
                    ScopedBinding bound(number, i);
                    return nothing;
                  }).join_uncancellable());
    }
  });
}

TEST(ScopedValueOfAThread, APlainThreadBindsToo) {
  ScopedBinding bound(number, 8);
  EXPECT_EQ(*number.get(), 8);
}

TEST(ScopedValueDeathTest, EndingBindingsInTheOrderOfMakingIsABug) {
  std::optional<ScopedBinding<int>> first(std::in_place, number, 1);
  std::optional<ScopedBinding<int>> second(std::in_place, number, 2);
  EXPECT_DEATH(first.reset(), "reverse");
  second.reset();
}

}  // namespace
}  // namespace weft
