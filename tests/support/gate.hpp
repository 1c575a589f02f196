// SPDX-License-Identifier: Apache-2.0
#pragma once

// How tests order what happens on several threads without sleeping. Waits end by the event they are for; the
// time limit is for a test that has failed.

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace weft::test {

inline constexpr std::chrono::seconds kPatience{20};

[[noreturn]] inline void fail_waiting(const char* what) {
  std::fprintf(stderr, "the test waited in vain for: %s\n", what);
  std::abort();
}

/// Blocks threads, not fibers, until it is opened: holds the window of a race open.
class Gate {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait(const char* what = "a gate") {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return open_; })) fail_waiting(what);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Somebody arrives and is held until released: the two ends of a window.
struct Window {
  Gate entered;
  Gate leave;

  void hold() {
    entered.open();
    leave.wait("the end of the window");
  }
};

/// Blocks the thread until `condition()` holds, which another thread makes true.
template <class Condition>
void eventually(Condition&& condition, const char* what) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) fail_waiting(what);
    std::this_thread::yield();
  }
}

}  // namespace weft::test
