// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/fiber.hpp"

#include <weft/join_handle.hpp>
#include <weft/this_fiber.hpp>

#include <thread>

namespace weft::test {

/// Returns when the fiber waits for something. What it queued under a lock before can be found under that
/// lock then.
template <class T>
void until_it_waits(JoinHandle<T>& handle) {
  while (!detail::Access::fiber(handle).word.waiting()) {
    if (this_fiber::exists()) {
      yield();
    } else {
      std::this_thread::yield();
    }
  }
}

/// A fiber of the current context that waits in `body` already.
template <class Body>
auto spawn_waiting(Body&& body) {
  auto handle = spawn(std::forward<Body>(body));
  until_it_waits(handle);
  return handle;
}

/// Counts how many of its kind live; moves keep the number.
class Counted {
 public:
  explicit Counted(int value = 0) : value_(value) { live_.fetch_add(1, relaxed); }
  Counted(Counted&& other) noexcept : value_(std::exchange(other.value_, -1)) { live_.fetch_add(1, relaxed); }
  Counted& operator=(Counted&& other) noexcept {
    value_ = std::exchange(other.value_, -1);
    return *this;
  }
  ~Counted() { live_.fetch_sub(1, relaxed); }

  /// -1: moved from.
  int value() const noexcept { return value_; }
  static int live() noexcept { return live_.load(relaxed); }

 private:
  int value_;
  static inline Atomic<int> live_{0};
};

}  // namespace weft::test
