// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the reports of the monitor have in common: a handler that users may replace, and defaults from the
// environment.

#include "base/environment.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace weft {

/// Thread safety: any thread. Constructed without allocation.
template <class Report>
class ReportHandler {
 public:
  using Function = std::function<void(const Report&)>;

  void set(Function handler) {
    const std::scoped_lock lock(lock_);
    std::swap(handler_, handler);  // the old one is destroyed by the caller, after the lock
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

/// Milliseconds from an environment variable, or the default if it is not there or makes no sense.
inline std::int64_t environment_ms(const char* name, std::int64_t otherwise) noexcept {
  return number_in_environment(name).value_or(otherwise);
}

}  // namespace weft
