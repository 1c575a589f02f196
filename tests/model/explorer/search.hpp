// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which execution comes next. An execution asks its search at each choice: which thread makes the next step,
// and which of several values an operation brings.

#include "model/explorer/operation.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft::model {

/// A set of threads.
using ThreadSet = std::uint32_t;
constexpr ThreadSet set_of(std::size_t thread) noexcept { return ThreadSet{1} << thread; }
constexpr bool contains(ThreadSet set, std::size_t thread) noexcept { return (set >> thread & 1) != 0; }

/// Where an execution stands between two steps.
struct Situation {
  ThreadSet enabled = 0;                                ///< can make their step
  ThreadSet alive = 0;                                  ///< have a step to make
  ThreadIndex previous = 0;                             ///< made the last step
  std::array<const Operation*, kThreadsMax> pending{};  ///< the next step of each thread that is alive
};

class Search {
 public:
  virtual ~Search() = default;

  /// Before each execution; false when there is none left.
  virtual bool begin() = 0;
  /// One of the enabled threads.
  virtual ThreadIndex choose_thread(const Situation&) = 0;
  /// One of `count` values, 0 being the usual one.
  virtual unsigned choose_value(unsigned count) = 0;
  /// `done` was made by `thread`; `after` is where that led.
  virtual void stepped(const Situation& before, ThreadIndex thread, const Operation& done,
                       const Situation& after) = 0;
  /// What is run now has been seen already: it is only brought to its end.
  virtual bool redundant() const { return false; }
};

/// Every execution that differs, by dynamic partial-order reduction.
std::unique_ptr<Search> make_exhaustive_search();
/// Every execution that takes the CPU from a thread which could go on at most `preemptions` times.
std::unique_ptr<Search> make_bounded_search(int preemptions);
/// `executions` at random.
std::unique_ptr<Search> make_random_search(std::uint64_t seed, std::uint64_t executions);
/// The one execution that makes these choices.
std::unique_ptr<Search> make_replay(std::vector<unsigned> choices);

}  // namespace weft::model
