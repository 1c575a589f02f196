// SPDX-License-Identifier: Apache-2.0
// The shared mutex (docs/design/shared-mutex.md), with the shipping source.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"

#include <weft/shared_mutex.hpp>

namespace weft {
namespace {

using model::FailureKind;
using model::ModelFibers;

template <class Mutex>
void a_writer_meets_readers(ModelFibers& fibers, bool two_readers) {
  Mutex mutex;
  model::name(mutex, "mutex");
  model::Plain<int> value(0);
  const auto read = [&] {
    mutex.lock_shared();
    model::check(value == 0 || value == 2, "whole");
    mutex.unlock_shared();
  };
  std::vector<model::ThreadBody> threads{{"writer", fibers.fiber(0,
                                                                 [&] {
                                                                   mutex.lock();
                                                                   value = 1;
                                                                   value = 2;
                                                                   mutex.unlock();
                                                                 })},
                                         {"reader", fibers.fiber(1, read)}};
  if (two_readers) threads.push_back({"another", fibers.fiber(2, read)});
  model::run(threads);
  model::check(mutex.try_lock(), "free");
}

TEST(ModelSharedMutex, AWriterExcludesAReader) {
  ModelFibers fibers;
  model::expect_holds([&] { a_writer_meets_readers<SharedMutex>(fibers, false); });
}

TEST(ModelSharedMutex, AWriterExcludesTwoReaders) {
  ModelFibers fibers;
  for (const model::Options& options : {model::always_bounded(1), model::at_random(10'000)})
    model::expect_holds(options, [&] { a_writer_meets_readers<SharedMutex>(fibers, true); });
}

// shared-mutex.md, "the writer that gives up".
TEST(ModelSharedMutex, AWriterThatGivesUpLetsTheReaderBehindItIn) {
  ModelFibers fibers;
  const auto body = [&] {
    SharedMutex mutex;
    mutex.lock_shared();
    model::run({{"writer", fibers.fiber(0,
                                        [&] {
                                          if (mutex.lock_until(Deadline::never())) mutex.unlock();
                                        })},
                {"reader", fibers.fiber(1,
                                        [&] {
                                          mutex.lock_shared();
                                          mutex.unlock_shared();
                                        })},
                {"canceller", [&] {
                   fibers[0].cancel();
                   mutex.unlock_shared();
                 }}});
    model::check(mutex.try_lock(), "free");
  };
  model::expect_holds(model::always_bounded(0), body);
  model::expect_holds(model::at_random(10'000), body);
}

// Nobody unlocks: the reader joins the one that holds the lock once the writer before it has given up.
TEST(ModelSharedMutex, AReaderBehindAWriterThatGivesUpNeedsNoUnlock) {
  ModelFibers fibers;
  model::expect_holds([&] {
    SharedMutex mutex;
    mutex.lock_shared();
    bool gave_up = false;
    const auto writer = fibers.fiber(0, [&] { gave_up = !mutex.lock_until(Deadline::never()).has_value(); });
    model::run({{"writer", writer},
                {"reader", fibers.fiber(1,
                                        [&] {
                                          mutex.lock_shared();
                                          mutex.unlock_shared();
                                        })},
                {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(gave_up, "a reader holds it all the time");
    mutex.unlock_shared();
    model::check(mutex.try_lock(), "free");
  });
}

/// Of two twins that spin, the reader's unlock orders nothing.
class PlantedSharedMutex {
 public:
  void lock() {
    while (!try_lock()) cpu_relax();
  }
  bool try_lock() {
    std::uint32_t expected = 0;
    return word_.compare_exchange_strong(expected, kWriter, acquire, relaxed);
  }
  void unlock() { word_.store(0, release); }
  void lock_shared() {
    for (std::uint32_t word = word_.load(relaxed);;) {
      if (word == kWriter) {
        cpu_relax();
        word = word_.load(relaxed);
      } else if (word_.compare_exchange_weak(word, word + 1, acquire, relaxed)) {
        return;
      }
    }
  }
  void unlock_shared() { word_.fetch_sub(1, relaxed); }

 private:
  static constexpr std::uint32_t kWriter = 1000;
  Atomic<std::uint32_t> word_{0};
};

TEST(ModelSharedMutex, PlantedAReaderThatLeavesWithoutReleaseIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDataRace,
                      [&] { a_writer_meets_readers<PlantedSharedMutex>(fibers, false); });
}

}  // namespace
}  // namespace weft
