// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/search.hpp"

#include <bit>
#include <random>
#include <utility>

namespace weft::model {
namespace {

/// One of the threads in a set that is not empty, by its rank.
ThreadIndex nth_of(ThreadSet set, unsigned rank) noexcept {
  for (; rank != 0; --rank) set &= set - 1;
  return static_cast<ThreadIndex>(std::countr_zero(set));
}

unsigned size_of(ThreadSet set) noexcept { return static_cast<unsigned>(std::popcount(set)); }

/// Depth first over all choices, but for those that take the CPU from a thread which could go on once too
/// often. After M. Musuvathi and S. Qadeer, "Iterative context bounding for systematic testing of
/// multithreaded programs" (PLDI 2007).
class BoundedSearch final : public Search {
 public:
  explicit BoundedSearch(int preemptions) : preemptions_max_(preemptions) {}

  bool begin() override {
    if (began_ && !backtrack()) return false;
    began_ = true;
    position_ = 0;
    preemptions_ = 0;
    return true;
  }

  ThreadIndex choose_thread(const Situation& situation) override {
    // The one that may go on comes first; the others cost a preemption.
    if (!contains(situation.enabled, situation.previous))
      return nth_of(situation.enabled, choose_value(size_of(situation.enabled)));
    if (preemptions_ == preemptions_max_) return situation.previous;
    const unsigned chosen = choose_value(size_of(situation.enabled));
    if (chosen == 0) return situation.previous;
    ++preemptions_;
    return nth_of(situation.enabled & ~set_of(situation.previous), chosen - 1);
  }

  unsigned choose_value(unsigned count) override {
    if (count == 1) return 0;
    if (position_ == choices_.size()) choices_.push_back({count, 0});
    return choices_[position_++].chosen;
  }

  void stepped(const Situation&, ThreadIndex, const Operation&, const Situation&) override {}

 private:
  struct Choice {
    unsigned count;
    unsigned chosen;
  };

  bool backtrack() {
    for (; !choices_.empty(); choices_.pop_back()) {
      if (++choices_.back().chosen < choices_.back().count) return true;
    }
    return false;
  }

  const int preemptions_max_;
  std::vector<Choice> choices_;
  std::size_t position_ = 0;
  int preemptions_ = 0;
  bool began_ = false;
};

/// Threads keep the CPU for runs of steps, whose mean length changes from execution to execution: some errors
/// need many switches, others few at the right place.
class RandomSearch final : public Search {
 public:
  RandomSearch(std::uint64_t seed, std::uint64_t executions) : random_(seed), left_(executions) {}

  bool begin() override {
    if (left_ == 0) return false;
    --left_;
    switch_in_ = 2u << random_() % 4;
    return true;
  }

  ThreadIndex choose_thread(const Situation& situation) override {
    if (contains(situation.enabled, situation.previous) && random_() % switch_in_ != 0)
      return situation.previous;
    return nth_of(situation.enabled, static_cast<unsigned>(random_() % size_of(situation.enabled)));
  }

  unsigned choose_value(unsigned count) override {
    return random_() % 2 == 0 ? 0 : static_cast<unsigned>(random_() % count);
  }

  void stepped(const Situation&, ThreadIndex, const Operation&, const Situation&) override {}

 private:
  std::mt19937_64 random_;
  std::uint64_t left_;
  unsigned switch_in_ = 2;
};

class Replay final : public Search {
 public:
  explicit Replay(std::vector<unsigned> choices) : choices_(std::move(choices)) {}

  bool begin() override { return !std::exchange(began_, true); }

  ThreadIndex choose_thread(const Situation& situation) override {
    if (size_of(situation.enabled) == 1) return nth_of(situation.enabled, 0);
    const unsigned thread = next();
    return contains(situation.enabled, thread) ? static_cast<ThreadIndex>(thread)
                                               : nth_of(situation.enabled, 0);
  }

  unsigned choose_value(unsigned count) override {
    const unsigned value = next();
    return value < count ? value : 0;
  }

  void stepped(const Situation&, ThreadIndex, const Operation&, const Situation&) override {}

 private:
  unsigned next() noexcept { return position_ < choices_.size() ? choices_[position_++] : 0; }

  const std::vector<unsigned> choices_;
  std::size_t position_ = 0;
  bool began_ = false;
};

}  // namespace

std::unique_ptr<Search> make_bounded_search(int preemptions) {
  return std::make_unique<BoundedSearch>(preemptions);
}
std::unique_ptr<Search> make_random_search(std::uint64_t seed, std::uint64_t executions) {
  return std::make_unique<RandomSearch>(seed, executions);
}
std::unique_ptr<Search> make_replay(std::vector<unsigned> choices) {
  return std::make_unique<Replay>(std::move(choices));
}

}  // namespace weft::model
