// SPDX-License-Identifier: Apache-2.0
// Socket activation: sd_listen_fds(3).
#include <weft/net/listen_fds.hpp>

#include "base/environment.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <unistd.h>

namespace weft::net {
namespace {

constexpr std::int64_t kFirst = 3;
constexpr std::int64_t kCountMax = std::numeric_limits<int>::max() - kFirst;

/// What stands before the next colon, which is taken off.
std::string_view take_name(std::string_view& names) noexcept {
  const std::string_view name = names.substr(0, names.find(':'));
  names.remove_prefix(name.size() == names.size() ? names.size() : name.size() + 1);
  return name;
}

}  // namespace

Result<std::vector<ListenFd>> listen_fds() {
  std::vector<ListenFd> passed;
  if (number_in_environment("LISTEN_PID") != std::int64_t{::getpid()}) return passed;
  if (std::getenv("LISTEN_FDS") == nullptr) return passed;
  const std::optional<std::int64_t> count = number_in_environment("LISTEN_FDS");
  if (!count || *count > kCountMax) return sys::error_of(EINVAL);
  const char* const text = std::getenv("LISTEN_FDNAMES");
  std::string_view names = text != nullptr ? text : "";
  for (std::int64_t fd = kFirst; fd < kFirst + *count; ++fd) {
    const int number = static_cast<int>(fd);
    if (const Result<void> set = sys::set_close_on_exec(number, true); !set) return set.error();
    passed.push_back({number, std::string(take_name(names))});
  }
  return passed;
}

}  // namespace weft::net
