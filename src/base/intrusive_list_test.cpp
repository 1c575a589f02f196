// SPDX-License-Identifier: Apache-2.0
#include "base/intrusive_list.hpp"

#include <deque>
#include <list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

struct Other;

struct Item : ListNode<>, ListNode<Other> {
  explicit Item(int number_) : number(number_) {}
  int number;
};

using Items = IntrusiveList<Item>;

std::vector<int> numbers(Items& list) {
  std::vector<int> seen;
  list.for_each([&](Item& item) { seen.push_back(item.number); });
  return seen;
}

void clear(Items& list) {
  while (list.pop_front() != nullptr) {}
}

using Numbers = std::vector<int>;

TEST(IntrusiveList, IsEmptyAtFirst) {
  Items list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, KeepsTheOrderOfPushes) {
  Item one(1), two(2), three(3);
  Items list;
  list.push_back(two);
  list.push_back(three);
  list.push_front(one);
  EXPECT_EQ(numbers(list), (Numbers{1, 2, 3}));
  EXPECT_EQ(&list.front(), &one);
  clear(list);
}

TEST(IntrusiveList, FindsTheFirstThatATestAccepts) {
  Item one(1), two(2), three(3);
  Items list;
  EXPECT_EQ(list.find([](const Item&) { return true; }), nullptr);
  for (Item* item : {&one, &two, &three}) list.push_back(*item);
  EXPECT_EQ(list.find([](const Item& item) { return item.number > 1; }), &two);
  EXPECT_EQ(list.find([](const Item& item) { return item.number > 3; }), nullptr);
  clear(list);
}

TEST(IntrusiveList, PopsFromTheFrontAndUnlinks) {
  Item one(1), two(2);
  Items list;
  list.push_back(one);
  list.push_back(two);
  EXPECT_EQ(list.pop_front(), &one);
  EXPECT_FALSE(one.ListNode<>::linked());
  EXPECT_TRUE(two.ListNode<>::linked());
  EXPECT_EQ(list.pop_front(), &two);
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, RemovesFromTheFrontTheMiddleAndTheEnd) {
  Item items[] = {Item(0), Item(1), Item(2), Item(3), Item(4)};
  Items list;
  for (Item& item : items) list.push_back(item);
  list.remove(items[2]);
  list.remove(items[0]);
  list.remove(items[4]);
  EXPECT_EQ(numbers(list), (Numbers{1, 3}));
  list.push_back(items[2]);
  EXPECT_EQ(numbers(list), (Numbers{1, 3, 2})) << "a removed element may come back";
  clear(list);
}

TEST(IntrusiveList, AnElementIsInOneListForEachTag) {
  Item item(1);
  Items list;
  IntrusiveList<Item, Other> other;
  list.push_back(item);
  other.push_back(item);
  list.remove(item);
  EXPECT_FALSE(item.ListNode<>::linked());
  EXPECT_EQ(other.pop_front(), &item);
}

TEST(IntrusiveList, SplicingMovesAllElementsToTheEnd) {
  Item one(1), two(2), three(3);
  Items list, more;
  list.push_back(one);
  more.push_back(two);
  more.push_back(three);
  list.splice_back(more);
  EXPECT_TRUE(more.empty());
  EXPECT_EQ(numbers(list), (Numbers{1, 2, 3}));
  list.splice_back(more);
  EXPECT_EQ(numbers(list), (Numbers{1, 2, 3}));
  more.splice_back(list);
  EXPECT_EQ(numbers(more), (Numbers{1, 2, 3})) << "into an empty list";
  clear(more);
}

TEST(IntrusiveList, TheVisitorMayRemoveTheElementItIsGiven) {
  Item items[] = {Item(0), Item(1), Item(2), Item(3)};
  Items list;
  for (Item& item : items) list.push_back(item);
  list.for_each([&](Item& item) {
    if (item.number % 2 == 0) list.remove(item);
  });
  EXPECT_EQ(numbers(list), (Numbers{1, 3}));
  clear(list);
}

TEST(IntrusiveList, AgreesWithAStandardListOverRandomOperations) {
  std::mt19937 random(20);
  std::deque<Item> pool;  // an Item cannot move
  for (int i = 0; i < 16; ++i) pool.emplace_back(i);
  Items list;
  std::list<int> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = pool[random() % pool.size()];
    if (item.ListNode<>::linked()) {
      list.remove(item);
      model.remove(item.number);
    } else if (random() % 2 == 0) {
      list.push_back(item);
      model.push_back(item.number);
    } else {
      list.push_front(item);
      model.push_front(item.number);
    }
    ASSERT_EQ(numbers(list), Numbers(model.begin(), model.end())) << "step " << step;
  }
  clear(list);
}

#ifndef NDEBUG
TEST(IntrusiveListDeathTest, AnElementCannotBeLinkedTwice) {
  Item item(1);
  Items list;
  list.push_back(item);
  EXPECT_DEATH(list.push_back(item), "BUG: element is already in a list");
  clear(list);
}

TEST(IntrusiveListDeathTest, AListIsEmptyWhenItDies) {
  EXPECT_DEATH(
      {
        Item item(1);
        Items list;
        list.push_back(item);
      },
      "BUG: list destroyed with elements in it");
}
#endif

}  // namespace
}  // namespace weft
