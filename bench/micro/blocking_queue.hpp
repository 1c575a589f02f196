// SPDX-License-Identifier: Apache-2.0
#pragma once

// What threads have without a library: a bounded queue by a mutex and two condition variables.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <queue>

class BlockingQueue {
 public:
  explicit BlockingQueue(std::size_t capacity) : capacity_(capacity) {}

  void push(int value) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [&] { return values_.size() < capacity_; });
    values_.push(value);
    lock.unlock();
    has_value_.notify_one();
  }

  int pop() {
    std::unique_lock lock(mutex_);
    has_value_.wait(lock, [&] { return !values_.empty(); });
    const int value = values_.front();
    values_.pop();
    lock.unlock();
    has_room_.notify_one();
    return value;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable has_room_;
  std::condition_variable has_value_;
  std::queue<int> values_;  // guarded by mutex_
};
