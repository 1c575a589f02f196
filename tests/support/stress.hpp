// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the stress programs have in common.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace weft::test {

inline unsigned long number_of_environment(const char* name, unsigned long fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoul(text, nullptr, 10);
}

/// WEFT_STRESS_SEED, else one of the clock's, and WEFT_STRESS_SECONDS; printed, so that a run can be
/// repeated.
struct StressPlan {
  unsigned seed = static_cast<unsigned>(number_of_environment(
      "WEFT_STRESS_SEED",
      static_cast<unsigned long>(std::chrono::system_clock::now().time_since_epoch().count())));
  std::chrono::seconds length{number_of_environment("WEFT_STRESS_SECONDS", 2)};

  StressPlan() {
    std::printf("WEFT_STRESS_SEED=%u WEFT_STRESS_SECONDS=%lld\n", seed,
                static_cast<long long>(length.count()));
    std::fflush(stdout);
  }
};

/// Stops the program when nothing has moved for too long.
class Watchdog {
 public:
  std::atomic<std::uint64_t> progress{0};

  ~Watchdog() {
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    for (std::uint64_t seen = ~0ull; !done_;) {
      if (seen == progress) {
        std::fprintf(stderr, "no progress in 30 s: a wake-up was lost\n");
        std::abort();
      }
      seen = progress;
      changed_.wait_for(lock, std::chrono::seconds(30), [this] { return done_; });
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_{[this] { watch(); }};
};

}  // namespace weft::test
