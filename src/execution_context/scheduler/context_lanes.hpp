// SPDX-License-Identifier: Apache-2.0
#pragma once

// A context whose fibers are pinned to its threads (placement per_thread): N lanes, each a context of one
// thread with a loop of its own. Fibers are dealt to lanes round robin when they are spawned, and are never
// stolen. The first lane is the context that the user knows; it owns the others, and they end together
// (docs/design/strategies.md).
//
// Thread safety: any thread; add() under the leader's resize lock. Lanes are only ever added.

#include "base/atomic.hpp"
#include "execution_context/context.hpp"

#include <cstdint>
#include <memory>

namespace weft {

class ContextLanes {
 public:
  explicit ContextLanes(Context& leader) noexcept { lanes_[0].store(&leader, relaxed); }
  /// Destroys all but the leader. REQUIRES: no thread of theirs is left.
  ~ContextLanes() {
    for_each([&](Context& lane) {
      if (&lane != lanes_[0].load(relaxed)) delete &lane;
    });
  }
  ContextLanes(const ContextLanes&) = delete;
  ContextLanes& operator=(const ContextLanes&) = delete;

  void add(std::unique_ptr<Context> lane) noexcept {
    const std::uint32_t index = count_.load(relaxed);
    lanes_[index].store(lane.release(), relaxed);
    count_.store(index + 1, release);  // pairs with the acquire in count(): the lane is seen
  }
  std::uint32_t count() const noexcept { return count_.load(acquire); }

  /// The lane of the next fiber.
  Context& deal() noexcept {
    const std::uint32_t turn = next_.fetch_add(1, relaxed);  // orders nothing
    return *lanes_[turn % count()].load(relaxed);
  }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t i = 0, end = count(); i < end; ++i) visit(*lanes_[i].load(relaxed));
  }
  bool contains(const Home* home) noexcept {
    bool found = false;
    for_each([&](Context& lane) { found = found || static_cast<const Home*>(&lane) == home; });
    return found;
  }

 private:
  Atomic<Context*> lanes_[Context::kParallelismMax] = {};
  Atomic<std::uint32_t> count_{1};
  Atomic<std::uint32_t> next_{0};
};

/// In an ordinary context: itself.
template <class Visit>
void Context::for_each_lane(Visit&& visit) const {
  if (lanes_ == nullptr) return visit(const_cast<Context&>(*this));
  lanes_->for_each(visit);
}

inline bool Context::owns(const Fiber& fiber) const noexcept {
  return lanes_ == nullptr ? fiber.home == this : lanes_->contains(fiber.home);
}

}  // namespace weft
