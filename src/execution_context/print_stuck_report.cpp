// SPDX-License-Identifier: Apache-2.0
#include "base/panic.hpp"
#include "execution_context/symbol.hpp"

#include <weft/monitor.hpp>

#include <string>

namespace weft {
void print_stuck_report(const StuckReport& report) {
  using Milliseconds = std::chrono::milliseconds;
  const std::string ms = std::to_string(std::chrono::duration_cast<Milliseconds>(report.stuck_for).count());
  write_to_stderr({"weft: fiber ", report.fiber, " has not suspended for ", ms, " ms: it keeps scheduler ",
                   std::to_string(report.scheduler), " of context \"", report.context,
                   "\" from running others\n"});
  std::size_t number = 0;
  for (void* const address : report.backtrace) {
    write_to_stderr({"weft:   #", std::to_string(number++), " ", describe_address(address), "\n"});
  }
}

}  // namespace weft
