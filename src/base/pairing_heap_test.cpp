// SPDX-License-Identifier: Apache-2.0
#include "base/pairing_heap.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

struct HeapItem {
  explicit HeapItem(int item_key, int item_id = 0) : key(item_key), id(item_id) {}
  int key;
  int id;
  PairingHeapLinks<HeapItem> links;
};

struct ItemOrder {
  static PairingHeapLinks<HeapItem>& links(HeapItem& item) { return item.links; }
  static bool before(const HeapItem& a, const HeapItem& b) {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
  }
};

using Heap = PairingHeap<HeapItem, ItemOrder>;
using Model = std::set<std::pair<int, int>>;

std::vector<int> drain(Heap& heap) {
  std::vector<int> keys;
  while (!heap.empty()) keys.push_back(heap.pop_first().key);
  return keys;
}

TEST(PairingHeap, is_empty_when_made) {
  const Heap heap;
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(heap.first(), nullptr);
}

TEST(PairingHeap, gives_elements_in_order_whatever_the_order_of_insertion) {
  std::vector<int> keys{1, 2, 3, 4, 5, 6};
  do {
    std::deque<HeapItem> items;
    Heap heap;
    for (const int key : keys) heap.insert(items.emplace_back(key));
    ASSERT_EQ(drain(heap), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  } while (std::next_permutation(keys.begin(), keys.end()));
}

TEST(PairingHeap, removes_any_element_in_any_shape) {
  for (int pops = 0; pops < 8; ++pops) {
    for (int victim = 0; victim < 16; ++victim) {
      std::deque<HeapItem> items;
      Heap heap;
      for (int i = 0; i < 16; ++i) heap.insert(items.emplace_back((i * 7) % 16));
      for (int i = 0; i < pops; ++i) heap.pop_first();
      if (items[static_cast<std::size_t>(victim)].key < pops) continue;
      heap.remove(items[static_cast<std::size_t>(victim)]);
      std::vector<int> expected;
      for (int key = pops; key < 16; ++key) {
        if (key != items[static_cast<std::size_t>(victim)].key) expected.push_back(key);
      }
      ASSERT_EQ(drain(heap), expected);
    }
  }
}

TEST(PairingHeap, takes_an_element_again_after_it_was_removed) {
  HeapItem item(1);
  HeapItem other(2);
  Heap heap;
  heap.insert(item);
  heap.insert(other);
  heap.remove(item);
  item.key = 3;
  heap.insert(item);
  EXPECT_EQ(drain(heap), (std::vector<int>{2, 3}));
}

TEST(PairingHeap, behaves_like_a_sorted_set_over_long_random_sequences) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::deque<HeapItem> items;
    std::vector<HeapItem*> outside;
    for (int id = 0; id < 200; ++id) outside.push_back(&items.emplace_back(0, id));
    std::vector<HeapItem*> inside;
    Heap heap;
    Model model;
    const auto move_out = [&](HeapItem& item) {
      model.erase({item.key, item.id});
      inside.erase(std::find(inside.begin(), inside.end(), &item));
      outside.push_back(&item);
    };
    for (int step = 0; step < 5000; ++step) {
      const auto action = random() % 4;
      if (action < 2 && !outside.empty()) {
        HeapItem& item = *outside.back();
        outside.pop_back();
        item.key = static_cast<int>(random() % 50);
        heap.insert(item);
        inside.push_back(&item);
        model.insert({item.key, item.id});
      } else if (action == 2 && !inside.empty()) {
        HeapItem& item = *inside[random() % inside.size()];
        heap.remove(item);
        move_out(item);
      } else if (action == 3 && !inside.empty()) {
        HeapItem& item = heap.pop_first();
        ASSERT_EQ(std::make_pair(item.key, item.id), *model.begin());
        move_out(item);
      }
      ASSERT_EQ(heap.empty(), model.empty());
      if (model.empty()) continue;
      ASSERT_EQ(std::make_pair(heap.first()->key, heap.first()->id), *model.begin());
    }
  }
}

}  // namespace
}  // namespace weft
