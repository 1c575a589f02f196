// SPDX-License-Identifier: Apache-2.0
// The usage word of a descriptor (L9; docs/design/descriptor.md), with users that hold handles of the file
// which is closed, and the record's next file.
#include "event_loop/descriptor/usage_word.hpp"
#include "model/model.hpp"

namespace weft {
namespace {

using model::FailureKind;

/// A record: its usage word, and what stands for the fd number.
template <class Usage>
struct Record {
  Record() {
    model::name(usage, "usage");
    usage.open();
  }

  void retire() {
    ++retired;
    fd = -1;  // U1: a data race if a user is still inside
  }
  void use(std::uint32_t generation) {
    bool last = false;
    if (usage.enter(generation, last)) {
      model::check(fd.get() >= 0, "the number is not given back under a user");
      last = usage.leave();
    }
    if (last) retire();
  }
  /// True if the caller retired the record, too.
  bool close(std::uint32_t generation) {
    bool last = false;
    if (usage.enter(generation, last)) {
      if (usage.close()) ++closed;
      last = usage.leave();
    }
    if (last) retire();
    return last;
  }

  Usage usage;
  model::Plain<int> fd{3};
  int retired = 0;
  int closed = 0;
};

TEST(ModelUsageWord, ACloseIsFollowedByOneRetirementAfterTheLastUser) {
  model::expect_holds([] {
    Record<UsageWord> record;
    model::run({{"reader", [&] { record.use(0); }}, {"writer", [&] { record.use(0); }}, {"closer", [&] {
                                                                                           record.close(0);
                                                                                         }}});
    model::check(record.closed == 1 && record.retired == 1, "closed and retired once");
    model::check(record.usage.generation() == 1, "the next generation");
  });
}

TEST(ModelUsageWord, TwoClosersCloseOnce) {
  model::expect_holds([] {
    Record<UsageWord> record;
    model::run({{"reader", [&] { record.use(0); }},
                {"closer", [&] { record.close(0); }},
                {"other closer", [&] { record.close(0); }}});
    model::check(record.closed == 1 && record.retired == 1, "closed and retired once");
  });
}

// U3: a stale handle counts itself in and out while the record stands for its next file.
TEST(ModelUsageWord, AStaleHandleNeverEntersTheNextFile) {
  model::expect_holds([] {
    Record<UsageWord> record;
    int used = 0;
    model::run({{"owner",
                 [&] {
                   if (!record.close(0)) return;  // the stale one has the duty
                   record.fd = 4;
                   record.usage.open();
                   record.close(1);
                 }},
                {"stale", [&] {
                   bool last = false;
                   if (record.usage.enter(0, last)) {
                     model::check(record.fd.get() == 3, "its own file");
                     last = record.usage.leave();
                     ++used;
                   }
                   if (last) record.retire();
                 }}});
    model::check(record.retired == record.closed, "one retirement for each close");
  });
}

/// Leaves by looking first: two leavers both find one user left.
class LookingUsageWord {
 public:
  bool enter(std::uint32_t, bool& last) noexcept {
    if ((word_.fetch_add(1, acquire) & kClosing) == 0) return true;
    last = leave();
    return false;
  }
  bool leave() noexcept {
    const std::uint64_t word = word_.load(acquire);
    word_.fetch_sub(1, acq_rel);
    return word == kClosing + 1;
  }
  bool close() noexcept { return (word_.fetch_or(kClosing, acq_rel) & kClosing) == 0; }
  void open() noexcept {}

 private:
  static constexpr std::uint64_t kClosing = std::uint64_t{1} << 31;
  Atomic<std::uint64_t> word_{0};
};

TEST(ModelUsageWord, PlantedALeaveThatLooksFirstIsFound) {
  // Both give the number back, and neither comes after the other.
  model::expect_fails(FailureKind::kDataRace, [] {
    Record<LookingUsageWord> record;
    model::run({{"reader", [&] { record.use(0); }}, {"closer", [&] { record.close(0); }}});
  });
}

/// As the shipping one, but what users did is not released by their leaving.
class RelaxedUsageWord : public LookingUsageWord {
 public:
  bool leave() noexcept {
    const std::uint64_t word = word_.fetch_sub(1, relaxed) - 1;
    return word == kClosing;
  }
  bool enter(std::uint32_t, bool& last) noexcept {
    if ((word_.fetch_add(1, acquire) & kClosing) == 0) return true;
    last = leave();
    return false;
  }
  bool close() noexcept { return (word_.fetch_or(kClosing, relaxed) & kClosing) == 0; }

 private:
  static constexpr std::uint64_t kClosing = std::uint64_t{1} << 31;
  Atomic<std::uint64_t> word_{0};
};

TEST(ModelUsageWord, PlantedALeaveWithoutReleaseIsFound) {
  model::expect_fails(FailureKind::kDataRace, [] {
    Record<RelaxedUsageWord> record;
    model::run({{"reader", [&] { record.use(0); }}, {"closer", [&] { record.close(0); }}});
  });
}

}  // namespace
}  // namespace weft
