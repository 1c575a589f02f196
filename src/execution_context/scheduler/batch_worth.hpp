// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether the fibers that a poll has made runnable are worth a sibling's help (S11). To wake one takes a
// system call here, and 30 us and more until it runs, so it helps only with what takes a multiple of that. A
// server's poll brings three or four requests of 8 us each: their thread is through with them before the
// sibling has come, and waking it each time made 0.08 futex calls a request. Fibers that compute for longer
// are worth one from the second on.
//
// How long fibers run until they wait again is learnt from the batches before: one reading of the clock for
// each time the thread runs out of work. Not thread-safe: the poller's own.

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weft {

class BatchWorth {
 public:
  /// What has to be left to do for a sibling to be worth its wake-up.
  static constexpr std::int64_t kWorthNs = 100'000;
  /// Longer runs count as this: a thread whose CPU was taken away for once is not to be taken for slow
  /// fibers.
  static constexpr std::int64_t kSampleMaxNs = 2 * kWorthNs;
  /// Each batch weighs one part in so many.
  static constexpr std::int64_t kWeight = 8;

  /// A poll ended at `now_ns` with `count` fibers to run. Whether a sibling should take some of them.
  bool begin(std::size_t count, std::int64_t now_ns) noexcept {
    count_ = static_cast<std::int64_t>(count);
    start_ns_ = now_ns;
    return count_ > 1 && (count_ - 1) * fiber_ns_ >= kWorthNs;
  }

  /// Whether there was a batch, which end() should be told of.
  bool begun() const noexcept { return count_ != 0; }

  /// The batch has been run, and all that came of it. Before the thread sleeps.
  void end(std::int64_t now_ns) noexcept {
    const std::int64_t each_ns = std::min((now_ns - start_ns_) / count_, kSampleMaxNs);
    fiber_ns_ += (each_ns - fiber_ns_) / kWeight;
    count_ = 0;
  }

 private:
  std::int64_t count_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t fiber_ns_ = kWorthNs;  // nothing is known: two are worth it
};

}  // namespace weft
