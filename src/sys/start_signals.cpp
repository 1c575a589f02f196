// SPDX-License-Identifier: Apache-2.0
#include "sys/start_signals.hpp"

#include <csignal>

namespace weft::sys {
namespace {

constinit StartSignals at_start;

// Early among the constructors of the program: others may install handlers and block signals.
[[gnu::constructor(101)]] void remember_signals() noexcept {
  sigset_t blocked;
  if (::sigprocmask(SIG_BLOCK, nullptr, &blocked) != 0) ::sigemptyset(&blocked);
  for (int number = 1; number <= 64; ++number) {
    const std::uint64_t bit = std::uint64_t{1} << (number - 1);
    if (::sigismember(&blocked, number) == 1) at_start.blocked |= bit;
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) at_start.ignored |= bit;
  }
}

}  // namespace

const StartSignals& start_signals() noexcept { return at_start; }

}  // namespace weft::sys
