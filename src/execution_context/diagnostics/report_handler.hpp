// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace weft {

/// The lock of a report handler, which a child of fork() goes on using. In static storage, for good.
class ReportLock {
 public:
  /// Takes those of all handlers, before a fork(), and gives them back on both sides.
  static void lock_all_for_fork() noexcept;
  static void unlock_all_after_fork() noexcept;

 protected:
  ReportLock() noexcept;
  ~ReportLock() = default;
  ReportLock(const ReportLock&) = delete;
  ReportLock& operator=(const ReportLock&) = delete;

  std::mutex lock_;

 private:
  ReportLock* next_ = nullptr;  // guarded by the lock of the list
};

/// What is called with a report: users may replace it. Thread safety: any thread. Constructed without
/// allocation, in static storage.
template <class Report>
class ReportHandler : ReportLock {
 public:
  using Function = std::function<void(const Report&)>;

  void set(Function handler) {
    const std::scoped_lock lock(lock_);
    std::swap(handler_, handler);  // the old one is destroyed by the caller, after the lock
  }
  bool empty() {
    const std::scoped_lock lock(lock_);
    return !handler_;
  }
  /// Calls the handler, or `otherwise` if there is none.
  void tell(const Report& report, void (*otherwise)(const Report&)) {
    Function handler;
    {
      const std::scoped_lock lock(lock_);
      handler = handler_;
    }
    handler ? handler(report) : otherwise(report);
  }

 private:
  Function handler_;  // guarded by lock_
};

}  // namespace weft
