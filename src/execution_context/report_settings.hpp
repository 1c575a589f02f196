// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the reports of the monitor have in common: a handler that users may replace, and defaults from the
// environment.

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string_view>
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
  const char* const text = std::getenv(name);
  if (text == nullptr) return otherwise;
  const std::string_view digits = text;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && ms >= 0 ? ms : otherwise;
}

}  // namespace weft
