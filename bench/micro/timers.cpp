// SPDX-License-Identifier: Apache-2.0
// What a pending deadline costs, with a million of them at random over a minute, beside a std::multimap and
// a binary heap with back-indices (as in Asio) in the same run.
//
//   touch      write one word of each node, in random order: what this machine takes for a cold node
//   insert     arm all, in the order of their memory
//   cold       arm all, in random order
//   churn      with all pending, arm one more and cancel it: a wait with a deadline that does not pass
//   cancel     all, in random order
//   fire 1ms   virtual time in steps of 1 ms until all have fired
//   fire next  virtual time in steps of next_deadline, as an otherwise idle loop does
//   stall      the longest single pop_expired, the best of three runs
//
// "dense" nodes stand side by side, "apart" ones 33 pages and a line from each other, as control blocks in
// a million fibers' stacks do: those miss cache, TLB and the cached page tables alike. CPU ns per timer.
//
//   usage: bench_timers [timers = 1000000] [rounds = 3]

#include "event_loop/timers/timers.hpp"

#include <sys/mman.h>

#include <ctime>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <new>
#include <numeric>
#include <random>
#include <vector>

namespace {

constexpr std::int64_t kSpan = 60'000'000'000;
constexpr std::int64_t kStep = 1'000'000;
constexpr std::int64_t kStart = 86'400'000'000'000;  // a day of uptime

std::int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// `count` objects, `stride` bytes from each other: more than the size, for a byte of the owner's.
template <class T>
class Nodes {
 public:
  Nodes(std::size_t count, std::size_t stride) : count_(count), stride_(std::max(stride, sizeof(T))) {
    void* const memory = mmap(nullptr, count_ * stride_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    base_ = static_cast<std::byte*>(memory);
    for (std::size_t i = 0; i < count_; ++i) new (base_ + i * stride_) T;
  }
  ~Nodes() { munmap(base_, count_ * stride_); }
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  T& operator[](std::size_t i) { return *std::launder(reinterpret_cast<T*>(base_ + i * stride_)); }

 private:
  std::size_t count_;
  std::size_t stride_;
  std::byte* base_;
};

struct WeftQueue {
  using Node = weft::Timer;
  static constexpr const char* kName = "weft::TimerQueue";
  void arm(Node& node, std::int64_t deadline_ns) { queue.arm(node, deadline_ns); }
  void cancel(Node& node) { queue.cancel(node); }
  std::int64_t next() { return queue.next_deadline_ns(); }
  Node* pop(std::int64_t now_ns) { return queue.pop_expired(now_ns); }
  weft::TimerQueue queue{kStart};
};

struct MapQueue {
  struct Node;
  using Map = std::multimap<std::int64_t, Node*>;
  struct Node {
    Map::iterator place;
  };
  static constexpr const char* kName = "std::multimap";
  void arm(Node& node, std::int64_t deadline_ns) { node.place = map.emplace(deadline_ns, &node); }
  void cancel(Node& node) { map.erase(node.place); }
  std::int64_t next() { return map.empty() ? weft::TimerQueue::kNever : map.begin()->first; }
  Node* pop(std::int64_t now_ns) {
    if (next() > now_ns) return nullptr;
    Node* const node = map.begin()->second;
    map.erase(map.begin());
    node->place = map.end();
    return node;
  }
  Map map;
};

/// What Asio does: a vector as a binary heap of deadlines and nodes; each node knows its index.
struct HeapQueue {
  struct Node {
    std::size_t index = 0;
  };
  struct Entry {
    std::int64_t deadline_ns;
    Node* node;
  };
  static constexpr const char* kName = "binary heap";
  void arm(Node& node, std::int64_t deadline_ns) {
    heap.push_back({});
    sift_up(heap.size() - 1, {deadline_ns, &node});
  }
  void cancel(Node& node) { erase(node.index); }
  std::int64_t next() { return heap.empty() ? weft::TimerQueue::kNever : heap.front().deadline_ns; }
  Node* pop(std::int64_t now_ns) {
    if (next() > now_ns) return nullptr;
    Node* const node = heap.front().node;
    erase(0);
    node->index = SIZE_MAX;
    return node;
  }

 private:
  void put(std::size_t index, Entry entry) {
    heap[index] = entry;
    entry.node->index = index;
  }
  void erase(std::size_t index) {
    const Entry last = heap.back();
    heap.pop_back();
    if (index == heap.size()) return;
    if (index > 0 && last.deadline_ns < heap[(index - 1) / 2].deadline_ns) {
      sift_up(index, last);
    } else {
      sift_down(index, last);
    }
  }
  void sift_up(std::size_t index, Entry entry) {
    for (; index > 0 && entry.deadline_ns < heap[(index - 1) / 2].deadline_ns; index = (index - 1) / 2) {
      put(index, heap[(index - 1) / 2]);
    }
    put(index, entry);
  }
  void sift_down(std::size_t index, Entry entry) {
    for (std::size_t child = 2 * index + 1; child < heap.size(); child = 2 * index + 1) {
      if (child + 1 < heap.size() && heap[child + 1].deadline_ns < heap[child].deadline_ns) ++child;
      if (entry.deadline_ns <= heap[child].deadline_ns) break;
      put(index, heap[child]);
      index = child;
    }
    put(index, entry);
  }
  std::vector<Entry> heap;
};

struct Row {
  double touch = 0, insert = 0, cold = 0, churn = 0, cancel = 0, fire_steps = 0, fire_next = 0, stall_us = 0;
};

struct Load {
  explicit Load(std::size_t count) : deadlines(count), order(count) {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> deadline(kStart + 1, kStart + kSpan);
    for (std::int64_t& deadline_ns : deadlines) deadline_ns = deadline(random);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
  }
  std::vector<std::int64_t> deadlines;
  std::vector<std::uint32_t> order;
};

template <class Work>
double ns_each(std::size_t count, Work&& work) {
  const std::int64_t start_ns = cpu_ns();
  work();
  return static_cast<double>(cpu_ns() - start_ns) / static_cast<double>(count);
}

void must_be(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::abort();
}

template <class Queue>
std::size_t fire_steps(Queue& queue) {
  std::size_t fired = 0;
  for (std::int64_t now_ns = kStart; now_ns <= kStart + kSpan + kStep; now_ns += kStep) {
    while (queue.pop(now_ns) != nullptr) ++fired;
  }
  return fired;
}

template <class Queue>
std::size_t fire_next(Queue& queue) {
  std::size_t fired = 0;
  for (std::int64_t now_ns = queue.next(); now_ns != weft::TimerQueue::kNever; now_ns = queue.next()) {
    while (queue.pop(now_ns) != nullptr) ++fired;
  }
  return fired;
}

/// The longest pop, in wall time: apart, as reading the clock costs as much as a pop.
template <class Queue>
double longest_pop_us(Queue& queue) {
  std::int64_t longest_ns = 0;
  for (std::int64_t now_ns = kStart; now_ns <= kStart + kSpan + kStep; now_ns += kStep) {
    for (bool more = true; more;) {
      const std::int64_t start_ns = cpu_ns();
      more = queue.pop(now_ns) != nullptr;
      longest_ns = std::max(longest_ns, cpu_ns() - start_ns);
    }
  }
  return static_cast<double>(longest_ns) / 1000;
}

template <class Queue>
class Measurement {
  using Node = typename Queue::Node;

 public:
  Measurement(const Load& load, std::size_t stride) : load_(load), nodes_(count(), stride) {}

  Row run() {
    Row row;
    measure_insert_and_cancel(row);
    row.fire_next = fire(fire_next<Queue>);
    row.stall_us = stall_us();
    return row;
  }

 private:
  std::size_t count() const { return load_.deadlines.size(); }

  void arm_in_order(Queue& queue) {
    for (std::size_t i = 0; i < count(); ++i) queue.arm(nodes_[i], load_.deadlines[i]);
  }

  void arm_in_disorder(Queue& queue) {
    for (const std::uint32_t i : load_.order) queue.arm(nodes_[i], load_.deadlines[i]);
  }

  void touch() {
    for (const std::uint32_t i : load_.order) reinterpret_cast<volatile char*>(&nodes_[i])[sizeof(Node)] = 1;
  }

  void measure_insert_and_cancel(Row& row) {
    Queue queue;
    row.touch = ns_each(count(), [&] { touch(); });
    row.insert = ns_each(count(), [&] { arm_in_order(queue); });
    row.churn = ns_each(count(), [&] { churn(queue); });
    row.cancel = ns_each(count(), [&] {
      for (const std::uint32_t i : load_.order) queue.cancel(nodes_[i]);
    });
    row.cold = ns_each(count(), [&] { arm_in_disorder(queue); });
    row.fire_steps = ns_each(count(), [&] { must_be(fire_steps(queue) == count(), "timers fired"); });
  }

  void churn(Queue& queue) {
    Node node;
    for (const std::int64_t deadline_ns : load_.deadlines) {
      queue.arm(node, deadline_ns);
      queue.cancel(node);
    }
  }

  double fire(std::size_t (*fire_all)(Queue&)) {
    Queue queue;
    arm_in_order(queue);
    return ns_each(count(), [&] { must_be(fire_all(queue) == count(), "timers fired"); });
  }

  double stall_us() {
    double best_us = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) {
      Queue queue;
      arm_in_order(queue);
      best_us = std::min(best_us, longest_pop_us(queue));
    }
    return best_us;
  }

  const Load& load_;
  Nodes<Node> nodes_;
};

void print(const char* name, const char* layout, const Row& row) {
  std::printf("%-18s %-6s %7.0f %7.0f %7.0f %7.0f %7.0f %9.0f %10.0f %7.0f us\n", name, layout, row.touch,
              row.insert, row.cold, row.churn, row.cancel, row.fire_steps, row.fire_next, row.stall_us);
}

template <class Queue>
void measure_and_print(const Load& load) {
  print(Queue::kName, "dense", Measurement<Queue>(load, sizeof(typename Queue::Node) + 8).run());
  print(Queue::kName, "apart", Measurement<Queue>(load, 33 * 4096 + 64).run());
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  const Load load(count);
  std::printf("%zu deadlines at random over 60 s, CPU ns each\n", count);
  std::printf("%-18s %-6s %7s %7s %7s %7s %7s %9s %10s %10s\n", "", "nodes", "touch", "insert", "cold",
              "churn", "cancel", "fire 1ms", "fire next", "stall");
  for (int round = 0; round < rounds; ++round) {
    measure_and_print<WeftQueue>(load);
    measure_and_print<MapQueue>(load);
    measure_and_print<HeapQueue>(load);
  }
}
