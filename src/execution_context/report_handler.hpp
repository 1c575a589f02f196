// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace weft {

/// What is called with a report: users may replace it. Thread safety: any thread. Constructed without
/// allocation.
template <class Report>
class ReportHandler {
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
  std::mutex lock_;
  Function handler_;  // guarded by lock_
};

}  // namespace weft
