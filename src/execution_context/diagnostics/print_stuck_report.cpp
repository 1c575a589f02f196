// SPDX-License-Identifier: Apache-2.0
#include "base/standard_error.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/symbol.hpp"

#include <weft/monitor.hpp>

#include <string>

namespace weft {

void print_stuck_report(const StuckReport& report) {
  using Milliseconds = std::chrono::milliseconds;
  std::string text = "weft: fiber ";
  text.append(report.fiber).append(" has not suspended for ");
  text += std::to_string(std::chrono::duration_cast<Milliseconds>(report.stuck_for).count());
  text += " ms: it keeps scheduler " + std::to_string(report.scheduler) + " of context \"";
  text.append(report.context).append("\" from running others\n");
  std::size_t number = 0;
  for (const std::string& frame : describe_backtrace(report.backtrace, InnermostFrame::kExact))
    text += "weft:   #" + std::to_string(number++) + ' ' + frame + '\n';
  write_report_to_stderr(text);
}

}  // namespace weft
