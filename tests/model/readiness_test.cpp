// SPDX-License-Identifier: Apache-2.0
// The readiness word (L3, L4; docs/design/descriptor.md), with an operation that tries, clears and waits, and
// a kernel that delivers an edge for each byte.
#include "event_loop/descriptor/readiness.hpp"

#include "base/spin_lock.hpp"
#include "fiber/wait_word.hpp"
#include "model/model.hpp"

#include <mutex>

namespace weft {
namespace {

using model::FailureKind;

/// Readiness as it would be with a bit and no epoch.
class BitOnly {
 public:
  struct Snapshot {
    bool is_ready;
    bool ready(Direction) const noexcept { return is_ready; }
  };
  Snapshot load() const noexcept { return {bit_.load(acquire)}; }
  void signal(bool, bool, bool) noexcept { bit_.store(true, release); }
  [[nodiscard]] bool clear(Snapshot, Direction) noexcept {
    bit_.store(false, relaxed);
    return true;
  }
  void reset() noexcept { bit_.store(true, relaxed); }

 private:
  Atomic<bool> bit_{false};
};

/// A descriptor with one reader, as far as the readiness word and its lock go.
template <class Word>
struct Socket {
  Socket() {
    model::name(readiness, "readiness");
    model::name(lock, "lock");
    model::name(bytes, "bytes");
    model::name(waiting, "waiting");
    readiness.reset();
  }

  /// The kernel: the byte stands in the socket before its edge comes.
  void receive() {
    bytes.fetch_add(1, acq_rel);
    std::scoped_lock locked(lock);
    readiness.signal(true, false, false);
    waiting.store(false, release);
  }

  bool try_read() {
    int there = bytes.load(acquire);
    while (there != 0) {
      if (bytes.compare_exchange_strong(there, there - 1, acq_rel, acquire)) return true;
    }
    return false;
  }

  /// As PollingEventLoop::operate() and wait(). `look_again`: before the node is queued.
  void read(bool look_again = true) {
    for (;;) {
      const auto seen = readiness.load();
      if (seen.ready(Direction::kRead)) {
        if (try_read()) return;
        if (!readiness.clear(seen, Direction::kRead)) continue;
      }
      {
        std::scoped_lock locked(lock);
        if (look_again && readiness.load().ready(Direction::kRead)) continue;
        waiting.store(true, relaxed);
      }
      while (waiting.load(acquire)) cpu_relax();
    }
  }

  Word readiness;
  SpinLock lock;
  Atomic<int> bytes{0};
  Atomic<bool> waiting{false};
};

template <class Word>
void one_reader_two_edges() {
  Socket<Word> socket;
  model::run({{"reader",
               [&] {
                 socket.read();
                 socket.read();
               }},
              {"kernel", [&] {
                 socket.receive();
                 socket.receive();
               }}});
}

TEST(ModelReadiness, NoEdgeIsLost) {
  model::Options options;
  options.limits.spurious_max = 1;
  model::expect_holds(options, one_reader_two_edges<Readiness>);
}

TEST(ModelReadiness, PlantedABitWithoutAnEpochLosesAnEdge) {
  model::expect_fails(FailureKind::kDeadlock, one_reader_two_edges<BitOnly>);
}

TEST(ModelReadiness, PlantedAWaitThatDoesNotLookAgainLosesAnEdge) {
  model::expect_fails(FailureKind::kDeadlock, [] {
    Socket<Readiness> socket;
    model::run({{"reader", [&] { socket.read(false); }}, {"kernel", [&] { socket.receive(); }}});
  });
}

// A clear of one direction while edges of the other come.
TEST(ModelReadiness, TheDirectionsDoNotDisturbEachOther) {
  model::expect_holds([] {
    Readiness readiness;
    SpinLock lock;
    readiness.reset();
    bool cleared = false;
    model::run({{"reader", [&] { cleared = readiness.clear(readiness.load(), Direction::kRead); }},
                {"kernel", [&] {
                   std::scoped_lock locked(lock);
                   readiness.signal(false, true, true);
                 }}});
    const auto seen = readiness.load();
    model::check(cleared && !seen.ready(Direction::kRead), "no read edge came");
    model::check(seen.ready(Direction::kWrite) && seen.unusual(), "and nothing else was touched");
  });
}

}  // namespace
}  // namespace weft
